"""Our TFX components, and the functions that TFX's own components call on data."""
