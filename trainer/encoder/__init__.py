"""The pre-trained encoder: which families there are, where its files are, and whether they are whole."""
