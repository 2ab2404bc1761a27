"""The model of further pre-training: an encoder with a masked-LM head that scores only the hidden tokens."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf
import tf_keras

from fullbake.trainer.encoder.transformers_encoder import TransformersEncoder
from fullbake.trainer.models.dropout import StepDropout
from fullbake.trainer.optimization.accumulation import accumulated_gradients

# Two rows of two tokens, to make the variables.
_BUILD = ((1, 2), (1, 2))


class MaskedLanguageModel(tf_keras.Model):
    """An encoder that guesses hidden tokens and, if asked, whether the second half of a row follows the first.

    A batch holds `input_ids` and `attention_mask` (and `token_type_ids`), int32 `(batch_size, width)`, and from
    `trainer.data.masking` `positions` and `targets`, int32, and `weights` and `shares`, float32,
    `(batch_size, places)`; with `next_sentence` also `follows`, int32, and `follow_shares`, float32, `(batch_size,)`
    (see `trainer.data.next_sentence`).

    The loss of a batch is the sum over its hidden tokens of their shares, so that the same rows give the same gradients
    on one device and on several.

    The encoder's vectors are gathered at the positions before the head is run, so the largest tensor is
    `(batch_size, places, vocabulary_size)`; there is none over all positions.

    Args:
        encoder: The encoder under a masked-LM head.
        next_sentence: Whether to learn that too; its head is a softmax layer on the `[CLS]` vector and is not kept.
        accumulation_steps: In how many parts the rows of a step are computed (see `trainer.optimization.accumulation`).
        seed: Of dropout.
    """

    def __init__(
        self,
        encoder: TransformersEncoder,
        *,
        next_sentence: bool = False,
        accumulation_steps: int = 1,
        seed: int = 0,
    ):
        super().__init__(name="masked_lm")
        self.encoder = encoder
        self.dropout = StepDropout(encoder, seed)
        self.accumulation_steps = accumulation_steps
        self.follow_head = tf_keras.layers.Dense(2, dtype="float32", name="follows") if next_sentence else None
        self.loss_sum = tf_keras.metrics.Sum(name="loss_sum")
        self.guesses = tf_keras.metrics.Sum(name="guesses")
        ids = tf.constant(_BUILD, tf.int32)
        self({"input_ids": ids, "attention_mask": tf.ones_like(ids), "positions": tf.zeros_like(ids)})

    @classmethod
    def from_base(
        cls, folder: Path, *, next_sentence: bool = False, accumulation_steps: int = 1, seed: int = 0
    ) -> MaskedLanguageModel:
        """Makes the model on a base, with the base's own masked-LM head where it carries one.

        Raises:
            InputError: The base has another masked-LM head than is known here, or its weights do not fit it.
        """
        encoder = TransformersEncoder.with_masked_lm_head(folder)
        return cls(encoder, next_sentence=next_sentence, accumulation_steps=accumulation_steps, seed=seed)

    def call(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Returns the scores of the hidden tokens, and those of whether the second half follows.

        Returns:
            Float32 `(batch_size, places, vocabulary_size)`, and float32 `(batch_size, 2)` or None.
        """
        hidden = self.encoder.hidden_states(inputs, training=training)
        scores = self.encoder.vocabulary_scores(tf.gather(hidden, inputs["positions"], batch_dims=1))
        follows = None if self.follow_head is None else self.follow_head(hidden[:, 0])
        return tf.cast(scores, tf.float32), follows

    @property
    def metrics(self) -> list[tf_keras.metrics.Metric]:
        """Keras resets these at the start of each epoch."""
        return [self.loss_sum, self.guesses]

    # As in `ClassifierStep`: AutoGraph finds nothing to convert and takes most of the time to the first step.
    @tf.autograph.experimental.do_not_convert
    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One optimiser step."""
        gradients, (losses,) = accumulated_gradients(
            self._loss, batch, self.accumulation_steps, self.optimizer, self.trainable_variables
        )
        self.optimizer.apply_gradients(gradients)
        self.loss_sum.update_state(losses)
        self.guesses.update_state(batch["weights"])
        return {"loss": tf.math.divide_no_nan(self.loss_sum.result(), self.guesses.result())}

    def _loss(
        self, batch: dict[str, tf.Tensor], share: tf.Tensor, part: tf.Tensor
    ) -> tuple[tf.Tensor, tuple[tf.Tensor]]:
        del share  # nothing here is regularised
        with self.dropout.at(self.optimizer.iterations, part):
            scores, follows = self(batch, training=True)
        losses = masked_losses(scores, batch)
        loss = tf.reduce_sum(losses * batch["shares"])
        if follows is not None:
            answers = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(batch["follows"], 0), follows)
            loss += tf.reduce_sum(answers * batch["follow_shares"])
        return loss, (losses,)


def masked_losses(scores: tf.Tensor, batch: dict[str, tf.Tensor]) -> tf.Tensor:
    """The cross-entropy in nats of each hidden token, 0 where a row has no such place; `(batch_size, places)`."""
    return batch["weights"] * tf.nn.sparse_softmax_cross_entropy_with_logits(batch["targets"], scores)
