"""Segment networks; one module each, named as in a configuration."""
