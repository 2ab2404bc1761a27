"""What the Evaluator shows of a model's mistakes: `mistakes.json`."""

from __future__ import annotations

from fullbake.contract.names import MISTAKES_FILE
from fullbake.contract.results.result import Result, ResultFile


class Influence(Result):
    """What a part of a text did to a decision.

    Attributes:
        words: The part: a word, or in a long text some that follow each other.
        change: How much less probable the decision is without it, from -1 to 1; below 0 it spoke against the decision.
    """

    words: str
    change: float


class JudgedText(Result):
    """A test text and what was decided of it.

    Attributes:
        text: Its beginning.
        text_pair: The beginning of the second text, where there is one.
        characters_left_out: How many characters of both are not shown.
        truth: The labels that it has.
        decided: The labels that it was given.
        label: The label about which it is a mistake, of this model or, where it is right, of the one in production.
        probability: That label's probability.
        decided_probability: That of the decided label; None of a multi-label model, where it is the same label's.
        in_production: The labels that the model in production gives it; None: it is not listed for that.
        influences: What pushed the decision, the strongest first; empty: nothing did by itself, or nobody
            looked.
    """

    text: str
    text_pair: str | None = None
    characters_left_out: int = 0
    truth: tuple[str, ...]
    decided: tuple[str, ...]
    label: str
    probability: float
    decided_probability: float | None = None
    in_production: tuple[str, ...] | None = None
    influences: tuple[Influence, ...] = ()


class LabelMistakes(Result):
    """The mistakes about one label.

    Attributes:
        label: The label.
        missed: Whether these texts have the label and were not given it; if not, they were given it and do not have it
            (of a multi-label model alone: elsewhere they are listed as missed under the label that they have).
        count: How many there are.
        texts: The hardest of them: those of which the model was surest.
    """

    label: str
    missed: bool
    count: int
    texts: tuple[JudgedText, ...]


class Mistakes(ResultFile):
    """The mistakes on the test split.

    Attributes:
        labels: By label with a mistake, the label that matters first first: those with a bound on recall, the rarest
            first, then the others.
        fixed: How many texts the model in production gets wrong and this one right; None: they were not compared.
        broken: How many it gets right and this one wrong; likewise.
        fixed_texts: Of the fixed ones, those of which this model is surest.
        broken_texts: The same of the broken ones.
    """

    FILE = MISTAKES_FILE

    labels: tuple[LabelMistakes, ...] = ()
    fixed: int | None = None
    broken: int | None = None
    fixed_texts: tuple[JudgedText, ...] = ()
    broken_texts: tuple[JudgedText, ...] = ()

    def without_texts(self) -> Mistakes:
        """Returns the counts alone."""
        counted = tuple(label.model_copy(update={"texts": ()}) for label in self.labels)
        return self.model_copy(update={"labels": counted, "fixed_texts": (), "broken_texts": ()})

    @property
    def shows_texts(self) -> bool:
        """Whether there are texts of the mistakes, or no mistake."""
        return not self.labels or any(label.texts for label in self.labels)
