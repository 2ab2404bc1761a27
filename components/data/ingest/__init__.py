"""What ExampleGen does with data files: rows to splits, an account of all of them, and a verdict on it."""
