"""Durations in words."""


def duration_in_words(seconds: float) -> str:
    """Returns a duration as people read it: seconds, from a minute on its two greatest units.

    Example:
        >>> duration_in_words(7.25), duration_in_words(75.2), duration_in_words(3700)
        ('7.2 s', '1 min 15 s', '1 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
