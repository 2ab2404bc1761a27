"""The command line: what `fullbake` does."""
