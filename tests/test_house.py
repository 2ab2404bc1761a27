"""How the project's files are kept: none is longer than what one can read in a sitting."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
MOST_LINES = 300

FOLDERS = ["benchmarks", "command_line", "components", "contract", "kubeflow", "pipeline", "tests", "trainer"]
SUFFIXES = (".py", ".html", ".css")


def test_no_file_is_longer_than_300_lines():
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*") if file.suffix in SUFFIXES]
    # `make pytorch` installs into benchmarks/.torch.
    ours = [file for file in files if not any(part.startswith(".") for part in file.relative_to(ROOT).parts)]
    lengths = {str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines()) for file in ours}
    assert len(lengths) > 100
    assert {name for name, length in lengths.items() if length > MOST_LINES} == set()
