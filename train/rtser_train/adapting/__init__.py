"""Adapting a model file to a few labelled recordings of one's own (``rtser adapt``)."""
