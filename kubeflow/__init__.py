"""The pipeline on a cluster: the package, the container's entrypoint, runs and schedules."""
