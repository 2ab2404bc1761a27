"""The folder of pushed models: writing to it, reading from it, and trying a model."""
