"""Names that several stages share: of splits, features, signatures and files. Imports nothing heavy."""

# Splits of the examples. The first two are always made by hash; the third by hash or from a test folder.
TRAIN_SPLIT = "train"
EVAL_SPLIT = "eval"
TEST_SPLIT = "test"
CORPUS_SPLIT = "corpus"  # of unlabelled text, for further pre-training alone

# Features of a raw example.
TEXT = "text"
TEXT_PAIR = "text_pair"
LABEL = "label"
MASKED_LABEL = "masked_label"  # of a multi-label example, the labels of which nobody knows whether it has them
SLICE = "slice"  # the names of the slices that an example is in

# Features of a tokenized example, as Hugging Face's models call them.
INPUT_IDS = "input_ids"
ATTENTION_MASK = "attention_mask"
TOKEN_TYPE_IDS = "token_type_ids"  # noqa: S105 - no password

# The signatures of the SavedModel: from columns of text, and from serialized tf.Example.
TEXT_SIGNATURE = "serving_default"
EXAMPLES_SIGNATURE = "examples"

# What both signatures return of each row.
LABEL_OUTPUT = "label"
LABELS_SEPARATOR = ","  # between the labels of a row of a multi-label model
PROBABILITIES_OUTPUT = "probabilities"

# Rows that the graph tokenizes and sorts together (at length 512 their ids take 17 MB); so it pays to give it as many.
SLAB_ROWS = 2048

# What ExampleGen leaves beside its splits: an account of all rows, and the rows that were rejected.
INGEST_FILE = "ingest.json"
REJECTED_FILE = "rejected.csv"

# What the trainings leave beside their models.
TRAINING_FILE = "training.json"
PRETRAINING_FILE = "pretraining.json"
TUNER_RESULTS_FILE = "tuner_results.json"  # TFX's own name

# What the Evaluator leaves, and the Report: its page, and what the page was made from.
EVALUATION_FILE = "evaluation.json"
MISTAKES_FILE = "mistakes.json"
PAIRS_FILE = "pairs.json"
PREDICTIONS_FILE = "predictions.csv"
REPORT_FILE = "report.html"
REPORT_PARTS_FILE = "report.json"

# Beside the SavedModel: the backbone as Hugging Face loads it, in its folder a head that is not Hugging Face's, and
# what the model is.
HF_FOLDER = "assets.extra/hf"
HEAD_FILE = "head.safetensors"
ABOUT_FILE = "assets.extra/fullbake.json"

# Beside a pushed SavedModel, and in its Hugging Face folder: its card, by the name that the hub shows.
CARD_FILE = "README.md"

# Beside a pushed SavedModel: what made it, of what data, how it was judged, and which version it replaced.
PUSH_FILE = "assets.extra/push.json"
