"""The configs of public data sets, on files with the layout that these are downloaded with."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from fullbake.components.data.data_file import DataFile
from fullbake.components.data.file_rows import read_file
from fullbake.components.data.rows import Row
from fullbake.pipeline.config.loading import load_config
from fullbake.pipeline.preflight import check_inputs
from tests.pipeline.jigsaw import write_jigsaw

CONFIGS = Path(__file__).resolve().parents[2] / "configs"

CIVIL_COMMENTS = """
id target comment_text severe_toxicity obscene identity_attack insult threat asian atheist bisexual black buddhist
christian female heterosexual hindu homosexual_gay_or_lesbian intellectual_or_learning_disability jewish latino male
muslim other_disability other_gender other_race_or_ethnicity other_religion other_sexual_orientation
physical_disability psychiatric_or_mental_illness transgender white created_date publication_id parent_id article_id
rating funny wow sad likes disagree sexual_explicit identity_annotator_count toxicity_annotator_count
""".split()  # noqa: SIM905


def write_civil_comments(folder: Path) -> None:
    def row(target: float, text: str, **shares: float) -> list[str]:
        values = {"id": "59848", "target": target, "comment_text": text, "rating": "rejected", **shares}
        return [str(values.get(column, "")) for column in CIVIL_COMMENTS]

    (folder / "civil_comments").mkdir(parents=True)
    with (folder / "civil_comments/train.csv").open("w", encoding="utf-8", newline="") as file:
        # Most rows say nothing of identities.
        rows = [
            row(0.0, "This is so cool."),
            row(0.5, 'Is he a "fool"?\n', male=1.0, white=0.0),
            row(0.4999, "x", black=0.5),
        ]
        csv.writer(file).writerows([CIVIL_COMMENTS, *rows])


def write_goemotions(folder: Path) -> None:
    rows = ['My "favourite food is it\t27\teebbqej', "Kind of you\t2,5\ted00q6i", "What the\t0\teezlygj"]
    for name, file in (("goemotions", "train.tsv"), ("goemotions_test", "test.tsv")):
        (folder / name).mkdir(parents=True)
        (folder / name / file).write_text("\n".join(rows) + "\n", encoding="utf-8")


def write_six_labels(folder: Path) -> None:
    write_jigsaw(folder, train=3, test=2, masked=1)
    (folder / "train").rename(folder / "jigsaw")
    (folder / "test").rename(folder / "jigsaw_test")


@pytest.mark.parametrize(
    ("name", "write", "labels", "slices"),
    [
        ("jigsaw", write_six_labels, [("obscene",), ("toxic",), ("obscene", "identity_hate")], [()] * 3),
        (
            "jigsaw_unintended_bias",
            write_civil_comments,
            [("non_toxic",), ("toxic",), ("non_toxic",)],
            [(), ("male",), ("black",)],
        ),
        ("goemotions", write_goemotions, [("neutral",), ("anger", "caring"), ("admiration",)], [()] * 3),
    ],
)
def test_files_as_they_are_downloaded_are_read(
    base: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    write: Callable[[Path], None],
    labels: list[tuple[str, ...]],
    slices: list[tuple[str, ...]],
):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "data")
    config = load_config(CONFIGS / f"{name}.yaml", [f"model.base={base}", "model.max_length=64"])
    check_inputs(config)
    (file,) = Path(config.data.input_base).iterdir()
    rows = list(read_file(DataFile(0, str(file), file.name), config.row_format))
    assert all(isinstance(row, Row) for row in rows), rows
    assert [row.labels for row in rows] == labels
    assert [row.slices for row in rows] == slices
