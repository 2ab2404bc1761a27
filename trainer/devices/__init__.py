"""Where a training runs, and in which arithmetic."""
