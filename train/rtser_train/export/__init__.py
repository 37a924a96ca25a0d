"""A trained fold as one model file."""
