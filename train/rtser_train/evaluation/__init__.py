"""Predictions, metrics, tables and figures."""
