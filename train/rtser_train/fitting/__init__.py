"""Fitting networks, folds and whole experiments."""
