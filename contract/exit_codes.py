"""The exit codes of every program here. 0 is success; anything else but these is a crash."""

EXIT_INPUT_ERROR = 2
"""The config or the data is wrong; one line says what, where, and the remedy."""

EXIT_REFUSED = 3
"""The run finished, but the gate refused the model."""
