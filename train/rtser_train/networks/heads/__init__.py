"""Heads: networks that decide for a bag of segment embeddings; one module each, named as in a configuration."""
