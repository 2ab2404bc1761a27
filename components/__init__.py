"""Our TFX components, and the functions that TFX's own components call on data."""

import trainer  # noqa: F401  (sets the environment TensorFlow must see first)
