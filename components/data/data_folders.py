"""The config keys that name the folders of data, for errors; `trainer.locations` knows the folders by them too."""

INPUT_BASE = "data.input_base"
"""Of the folder of the labelled files."""

TEST_BASE = "data.test_base"
"""Of a folder with a test set of its own."""

CORPUS_BASE = "pretraining.corpus_base"
"""Of a folder of unlabelled text."""
