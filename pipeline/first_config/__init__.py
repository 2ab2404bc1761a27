"""What `fullbake init` makes: a first config for a data file."""
