"""Training: corpora, the segment CNN, attention over its embeddings, and the export to one file."""
