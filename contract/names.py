"""Names that several stages share: of files, signatures and folders. Imports nothing heavy."""

# What the trainings leave beside their models.
TRAINING_FILE = "training.json"
PRETRAINING_FILE = "pretraining.json"
TUNER_RESULTS_FILE = "tuner_results.json"  # TFX's own name

# The signatures of the SavedModel: from columns of text, and from serialized tf.Example.
TEXT_SIGNATURE = "serving_default"
EXAMPLES_SIGNATURE = "examples"

# Rows that the graph tokenizes and sorts together (at length 512 their ids take 17 MB); so it pays to give it as many.
SLAB_ROWS = 2048

# Beside the SavedModel: the backbone as Hugging Face loads it, in its folder a head that is not Hugging Face's, and
# what the model is.
HF_FOLDER = "assets.extra/hf"
HEAD_FILE = "head.safetensors"
ABOUT_FILE = "assets.extra/fullbake.json"

# The splits that no hash makes: a test folder's (or the hash's of that name), and an unlabelled corpus's.
TEST_SPLIT = "test"
CORPUS_SPLIT = "corpus"

# Beside the splits: what became of all rows, and the rows that are in no split (see `components.data.ingest.summary`).
INGEST_FILE = "ingest.json"
REJECTED_FILE = "rejected.csv"
