"""A pushed model behind TensorFlow Serving's REST API, with a page to try it."""
