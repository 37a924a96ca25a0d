"""Adapting a model file to one's own few labelled recordings (``rtser adapt``)."""
