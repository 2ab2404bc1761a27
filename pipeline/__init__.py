"""What runs: the config, the graph of components, the local runner and the command line."""

import trainer  # noqa: F401  (sets the environment TensorFlow must see first)
