"""Segment networks and heads."""
