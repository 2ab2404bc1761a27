"""The layout of an exported model, shared by what writes one and what opens one. Imports nothing heavy."""

# The signatures of the SavedModel: from columns of text, and from serialized tf.Example.
TEXT_SIGNATURE = "serving_default"
EXAMPLES_SIGNATURE = "examples"

# Beside the SavedModel: the backbone as Hugging Face loads it, and what the model is.
HF_FOLDER = "assets.extra/hf"
ABOUT_FILE = "assets.extra/fullbake.json"
