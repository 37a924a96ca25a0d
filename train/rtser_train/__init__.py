"""Training: corpora, the segment CNN, attention over its embeddings, and the export to one file."""

import os

# Threads that wait must not keep a core busy: on a busy machine two threads trained 30 times slower. Set before torch.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
