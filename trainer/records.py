"""The names of the files in which the trainings tell what came of them. Imports nothing heavy."""

TRAINING_FILE = "training.json"
PRETRAINING_FILE = "pretraining.json"
TUNER_RESULTS_FILE = "tuner_results.json"  # TFX's own name
