"""Labelled text: files to rows, what is wrong with rows, and how the data of two spans differ."""
