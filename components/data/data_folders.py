"""The settings that name the folders of data, for errors; and what the folders are called in cache keys."""

INPUT_BASE = "input_base"
"""The folder of the labelled files."""

TEST_BASE = "test_base"
"""A folder with a test set of its own."""

CORPUS_BASE = "corpus_base"
"""A folder of unlabelled text."""

IN_CACHE_KEYS = {INPUT_BASE: "data.input_base", TEST_BASE: "data.test_base", CORPUS_BASE: "pretraining.corpus_base"}
"""What `trainer.locations` knows each folder by, which stands in execution properties. No key of a config for anyone
who reads it: runs that are there keep their caches as long as it stays as it is."""
