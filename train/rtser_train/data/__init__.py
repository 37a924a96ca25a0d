"""Corpora, bags, folds and batches."""
