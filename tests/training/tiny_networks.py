"""How the networks of a tiny model file are made, as its metadata says."""

from __future__ import annotations

TINY_NETWORKS = {
    "segment_network": "segcnn",
    "widths": [4, 8, 8, 16],
    "embedding": 24,
    "head": "feature-att",
    "features": 12,
}
