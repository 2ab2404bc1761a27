"""What a run came to, logged to an MLflow tracking server: an optional extra, imported only where the config asks."""
