"""The tasks that can be learned: what a label is to a row, and the arithmetic that follows from it."""
