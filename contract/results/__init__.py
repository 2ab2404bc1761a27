"""What stages leave behind as JSON: each kind is one class, by which it is written and read."""
