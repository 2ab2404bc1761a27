"""How a model is made: approaches, heads, input pipeline, optimiser, distribution, training and export."""

import os

# Hugging Face's TensorFlow models, TFT's layer and TFMA are Keras 2. TensorFlow reads this when Keras is first touched,
# so it is set here, in the lowest layer, which every process of ours imports first (Beam workers and containers too);
# whatever was set for other programs would break this one.
os.environ["TF_USE_LEGACY_KERAS"] = "1"
# keras-tuner imports Keras 3, which fails on a backend that is not installed.
os.environ["KERAS_BACKEND"] = "tensorflow"
