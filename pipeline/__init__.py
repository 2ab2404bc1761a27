"""What runs: the config, the graph of components, the local runner and the command line."""
