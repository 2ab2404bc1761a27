"""Fullbake inside another Python program: a notebook, a test, a service."""
