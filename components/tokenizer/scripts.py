"""The names of scripts."""

NO_LETTERS = "no letters"
"""What stands in the place of a script where a text has no letter: numbers, emoji."""

LATIN = "Latin"

WITHOUT_SPACES = frozenset(("Han", "Kana", "Thai", "Lao", "Khmer", "Myanmar", "Tibetan"))
"""Scripts whose words no spaces part, so that tokens per word say nothing."""
