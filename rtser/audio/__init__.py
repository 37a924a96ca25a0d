"""Where sound comes from: files, microphones, and what keeps a microphone alive."""
