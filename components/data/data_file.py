"""A data file, as a run reads it: where it is, and where the labels of its rows are if no column of it has them."""

from typing import NamedTuple

from fullbake.components.data.reading import place_of


class DataFile(NamedTuple):
    """A file whose rows are wanted, or a folder of files that each hold one text, which are its rows.

    Attributes:
        number: Its number among all files.
        path: Where it is.
        name: What people call it.
        label: What its name or its folder says that the label of all its rows is; None where each row has its own.
        texts: Of a folder, the paths of its files below it, in the order of the rows; of a file, none.
        labels_path: Where the file with the labels of its rows is; None if they are not in another.
    """

    number: int
    path: str
    name: str
    label: str | None = None
    texts: tuple[str, ...] = ()
    labels_path: str | None = None

    def file_of(self, line: int) -> tuple[str, int]:
        """Returns the name of the file that a row is in, and its line there."""
        return (f"{self.name}/{self.texts[line - 1]}", 1) if self.texts else (self.name, line)

    def place_of(self, line: int) -> str:
        """Returns the place of a row for people, such as `train.csv line 3` or, of a file with one text, its name."""
        return self.file_of(line)[0] if self.texts else place_of(self.name, line)
