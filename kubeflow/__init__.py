"""Where it runs on a cluster: compile, container entrypoint, submit and schedule."""

import trainer  # noqa: F401  (sets the environment TensorFlow must see first)
