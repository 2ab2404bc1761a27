"""The Keras models that are trained: a classifier with its heads, and the masked language model."""
