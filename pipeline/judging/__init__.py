"""Judges pushed models on a labelled file."""
