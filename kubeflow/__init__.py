"""Where it runs on a cluster: compile, container entrypoint, submit and schedule."""
