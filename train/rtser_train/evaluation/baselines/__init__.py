"""Baselines; one module each, named as in a configuration."""
