"""The config file: keys, types, defaults, and what is wrong with a value."""
