"""How a model is made: approaches, heads, input pipeline, optimiser, distribution, training and export."""

import os

# Hugging Face's TensorFlow models, TFT's layer and TFMA are Keras 2. TensorFlow reads this when Keras is first touched,
# so it is set here, in the lowest layer, which every process of ours imports first (Beam workers and containers too).
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
