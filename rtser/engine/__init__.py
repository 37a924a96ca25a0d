"""The pure engine: samples in, decisions out. No threads, no clocks, no I/O."""
