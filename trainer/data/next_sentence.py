"""Next-sentence prediction: rows whose second half is their own or that of another text."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from fullbake.trainer.data.input_pipeline import TokenizedSplit
from fullbake.trainer.data.masking import Vocabulary

_BY_ROW = {"follows": tf.int32, "follow_shares": tf.float32}


class SentencePairs:
    """A split of single texts, each of two sentences or more dealt as a pair of segments.

    A text is cut at the end of a random sentence. In half of the rows the second segment is replaced by that of another
    text (Devlin et al. 2018, task 2); both kinds look alike: `[CLS] a [SEP] b [SEP]`, cut to the maximum length. A
    text of one sentence stays as it is.

    Args:
        split: The texts.
        vocabulary: Says which tokens end a sentence.
        seed: Of the cuts and replacements.
        fixed: The same cuts and replacements at every pass, as measuring needs them; else fresh ones.
        dealt: How many batches were dealt before the first, by the training that was interrupted.
    """

    def __init__(
        self,
        split: TokenizedSplit,
        vocabulary: Vocabulary,
        seed: int,
        *,
        fixed: bool,
        dealt: int = 0,
    ):
        self.split = split
        self.labels = split.labels
        self._ids = split.streams["input_ids"]
        self._ends = vocabulary.ends_sentence
        self._seed = seed
        self._fixed = fixed
        self._taken = dealt

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each row, one more for the `[SEP]` between the segments: int64 `(rows,)`."""
        return np.minimum(self.split.lengths + 1, self.split.max_length)

    @property
    def window_counts(self) -> np.ndarray:
        """One of each row."""
        return self.split.window_counts

    def take(self, rows: np.ndarray, *, full_width: bool = False) -> dict[str, np.ndarray]:
        """Cuts, replaces and pads some rows.

        Returns:
            `input_ids`, `attention_mask` and `token_type_ids`, int32 `(batch_size, width)`, and `follows`,
            int32 `(batch_size,)`: 1, 0 where the second segment is of another text, -1 where there is none; and
            `follow_shares`, float32 `(batch_size,)`, each row's share of the batch's loss, 0 where there is none.
        """
        rng = np.random.default_rng([self._seed, int(rows[0]) if self._fixed else self._taken])
        self._taken += 1
        ids, types, follows = [], [], []
        for row in rows:
            text, cut = self._cut(row, rng)
            if cut is None:
                ids.append(text)
                types.append(np.zeros(len(text), np.int32))
                follows.append(-1)
                continue
            separator = text[-1:]
            second, follow = text[cut:], 1
            if rng.random() < 0.5 and len(self.labels) > 1:
                # Any other row: one drawn from all but this.
                other = (int(row) + 1 + int(rng.integers(len(self.labels) - 1))) % len(self.labels)
                text_of_other, other_cut = self._cut(other, rng)
                second, follow = text_of_other[1 if other_cut is None else other_cut :], 0
            first = text[:cut]
            # The longer segment is cut; the last [SEP] stays.
            room = self.split.max_length - 1
            kept = min(len(second), max(room // 2, room - len(first)))
            first, second = first[: room - kept], np.concatenate([second[: kept - 1], separator])
            ids.append(np.concatenate([first, separator, second]))
            types.append(np.repeat([0, 1], [len(first) + 1, len(second)]).astype(np.int32))
            follows.append(follow if kept > 1 else -1)
        lengths = np.array([len(row) for row in ids])
        mask = np.arange(self.split.width(int(lengths.max()), full_width=full_width)) < lengths[:, None]
        asked = np.array(follows) >= 0
        batch = {
            "attention_mask": mask.astype(np.int32),
            "follows": np.array(follows, np.int32),
            "follow_shares": (asked / max(1, asked.sum())).astype(np.float32),
        }
        for name, values in (("input_ids", ids), ("token_type_ids", types)):
            batch[name] = np.zeros(mask.shape, np.int32)
            batch[name][mask] = np.concatenate(values)
        return batch

    def signature(self, batch_size: int | None, *, full_width: bool) -> dict[str, tf.TensorSpec]:
        """The shapes and dtypes of what `take` returns."""
        tokens = self.split.signature(batch_size, full_width=full_width)
        spec = tokens["input_ids"]
        by_row = {name: tf.TensorSpec((batch_size,), kind) for name, kind in _BY_ROW.items()}
        return {**tokens, "token_type_ids": spec, **by_row}

    def _cut(self, row: int, rng: np.random.Generator) -> tuple[np.ndarray, int | None]:
        """A row's ids, and where its second segment starts, or None if it is one sentence."""
        text = self._ids[self.split.offsets[row] : self.split.offsets[row + 1]]
        after = np.flatnonzero(self._ends[text[:-1]]) + 1
        # Of "?!" only the last ends a sentence, and the end of the text is no cut.
        after = after[(after < len(text) - 1) & ~self._ends[text[np.minimum(after, len(text) - 1)]]]
        return text, int(rng.choice(after)) if len(after) else None
