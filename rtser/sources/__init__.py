"""Where samples come from: each source yields float32 blocks, mono, 16 kHz."""
