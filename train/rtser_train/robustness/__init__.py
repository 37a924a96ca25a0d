"""Measures a model under its users' conditions: noise, rooms, calls, levels, and sound without speech."""
