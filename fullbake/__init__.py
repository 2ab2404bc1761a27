"""Fullbake finishes a pre-trained encoder for a task. Its packages are folders beside this one, linked here."""

import os

__version__ = "0.1.0"

# Hugging Face's TensorFlow models, TFT's layer and TFMA are Keras 2. TensorFlow reads this when Keras is first touched,
# so it is set here, which every process of ours imports first (Beam workers and containers too); whatever was set for
# other programs would break this one.
os.environ["TF_USE_LEGACY_KERAS"] = "1"
# keras-tuner imports Keras 3, which fails on a backend that is not installed.
os.environ["KERAS_BACKEND"] = "tensorflow"
