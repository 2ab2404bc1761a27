import os
from pathlib import Path

import pytest

from fullbake.components.data.data_files import match_files
from fullbake.components.serving.plain_path import plain_path


@pytest.mark.parametrize(
    "name", ["we[ir]d", "st*r", "q?est", "a{b}", "back\\slash", "$1", "sp ace", "#1", "%20", "'\"", "ü"]
)
def test_a_folder_of_any_name_means_itself_alone(tmp_path: Path, name: str):
    for folder in (name, "weid", "weird", "star", "quest", "ab", "a"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.csv").write_text(folder)
    (found,) = match_files(str(tmp_path / name), "*.csv")
    assert (found, Path(found).read_text()) == (str(tmp_path / name / "a.csv"), name)
    with plain_path(str(tmp_path / name)) as plain:
        assert not set(plain) & set("*?[]{}\\^$|")
        assert os.path.samefile(plain, tmp_path / name)


def test_a_pattern_is_a_glob_but_for_brackets_in_a_name_that_is_there(tmp_path: Path):
    for name in (
        "export [2024].csv",
        "export 2.csv",
        "re [x]/a.csv",
        "re x/a.csv",
        "b1/c/d.csv",
        "_tmp.csv",
        ".x.csv",
        "*",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()

    def found(pattern: str) -> list[str]:
        return [os.path.relpath(path, tmp_path) for path in match_files(str(tmp_path), pattern)]

    assert found("export [2024].csv") == ["export [2024].csv"]
    assert found("re [x]/*.csv") == ["re [x]/a.csv"]
    assert found("export [0-3].csv") == ["export 2.csv"]
    assert found("*.csv") == ["export 2.csv", "export [2024].csv"]
    # A file that a slip in a shell made hides no others.
    assert found("*") == ["*", "export 2.csv", "export [2024].csv"]
    assert found("b?/**/*.csv") == ["b1/c/d.csv"]
