"""The pre-trained encoder: its families, its files and whether they are whole, and the model itself."""
