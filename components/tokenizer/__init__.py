"""BERT's tokenizer as a TensorFlow graph."""
