"""Labels text with a pushed model."""
