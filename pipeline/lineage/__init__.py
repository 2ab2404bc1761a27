"""What made a model, and the logs of its training: read from the metadata store. Imports neither TensorFlow nor TFX."""
