"""Metrics of a model, and the gate that judges them."""
