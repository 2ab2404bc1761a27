"""Comparison of approaches: the runs, their statistics and the page."""
