"""The nodes of the pipeline: TFX components, one to a file, and what TFX's own components call."""
