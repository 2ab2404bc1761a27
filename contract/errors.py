"""The one exception that is the user's to mend."""


class InputError(Exception):
    """The config, the data or the base model cannot be used as given.

    Its text is one line for people: what is wrong, where, and the remedy. The command line prints it without a
    traceback and ends with exit code 2.
    """


class DivergedError(InputError):
    """A training's loss is no number any more: the rate was too high."""
