import csv
import io
import random
from pathlib import Path

import pytest

from fullbake.components.data.dialect import Dialect
from fullbake.components.data.quoting import Quoting
from fullbake.components.data.readers import csv_records
from fullbake.components.data.readers.csv_records import JOINED_LINES
from fullbake.components.data.reading import quoting_of, read_rows
from fullbake.components.data.row_format import RowFormat
from fullbake.components.data.rows import BadRow, LineCount, Row

DATA = Path(__file__).parents[2] / "../shared/data"
LABELLED = RowFormat("text", "label", ("good", "bad"), label_map={"1": "good", "0": "bad"})
UNKNOWN = RowFormat("text", "label", ())
TABS = RowFormat("text", "label", ("good", "bad"), dialect=Dialect(delimiter="\t"))


def read(content, fmt):
    """Reads a file as its quotes say, and checks that its lines add up; returns the quoting and the rows."""
    data = content.encode()
    quoting = quoting_of(lambda: io.BytesIO(data), "train.csv", fmt)
    count = LineCount()
    rows = list(read_rows(io.BytesIO(data), "train.csv", fmt, quoting=quoting, count=count))
    assert count.total == len(data.splitlines()) == count.header + count.blank + sum(row.lines for row in rows)
    return quoting, rows


def tsv(*rows):
    return "text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows)


PLAIN = [(f"a plain text {number}", ("good", "bad")[number % 2]) for number in range(20)]
SWALLOWING = [
    *PLAIN[:5],
    ('"it was a day, she wrote', "bad"),
    *PLAIN[5:15],
    ('and he answered so "', "good"),
    *PLAIN[15:],
]


@pytest.mark.parametrize("labels", [("good", "bad"), ()])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", ["\t", ";", "|"])
def test_rows_that_a_quote_would_join_are_all_read_where_every_line_is_a_row(labels, end, delimiter):
    fmt = RowFormat("text", "label", labels, dialect=Dialect(delimiter=delimiter))
    content = tsv(*SWALLOWING).replace("\t", delimiter).replace("\n", end)
    quoting, rows = read(content, fmt)
    assert quoting == Quoting(ordinary=True)
    assert [(row.text, row.label) for row in rows] == SWALLOWING


@pytest.mark.parametrize(
    "text",
    ['"Great" product', '"never closed', 'a 5" pipe', '"all of it"', '"', '"" twice', '"a" and "b"'],
)
def test_quotes_that_are_no_quoting_are_read_as_characters(text):
    _, rows = read(tsv(*PLAIN, ('"it begins', "good"), ("here", "bad"), (text, "bad"), ('and ends"', "good")), TABS)
    assert [row.text for row in rows] == [*(text for text, _ in PLAIN), '"it begins', "here", text, 'and ends"']


@pytest.mark.parametrize(
    ("proof", "lines"),
    [
        ('"two\nlines"\tgood\n', 2),
        ('"a\ttab"\tgood\n', 1),
        ('"so ""kind"" of you"\tgood\n', 1),
        ('"in quotes"\tgood\n' * 30, 30),
        ('"he said \\"yes\\""\tgood\n', 1),
    ],
    ids=["a text of two lines", "a delimiter in quotes", "a doubled quote", "most are in quotes", "backslashes"],
)
def test_where_quotes_do_quote_the_lines_that_one_joins_are_rejected_by_name(proof, lines):
    quoting, rows = read(tsv(*SWALLOWING) + proof, TABS)
    assert quoting == Quoting(joined=frozenset({7}))
    swallowed = [row for row in rows if isinstance(row, BadRow) and row.kind == JOINED_LINES]
    assert [row.line for row in swallowed] == list(range(7, 19))
    assert swallowed[1].fields == ["a plain text 5\tbad"]
    assert swallowed[0].reason == (
        "the row that starts on line 7 goes on to line 18 by its quotes, but its lines look like rows of their own; "
        "repair the quotes, or say what they mean: none if they are characters like any other, standard if not"
    )
    assert sum(row.lines for row in rows) == 22 + lines


def test_a_swallowed_line_that_is_no_row_and_blank_ones_do_not_hide_the_others():
    rows = [('"opens', "bad"), ("odd", "unheard of"), *PLAIN, ("", ""), ('closes"', "good"), ("last", "good")]
    quoting, found = read(tsv(*rows).replace("\t\n", "\n"), TABS)
    assert quoting.ordinary
    assert [(row.line, row.kind) for row in found if isinstance(row, BadRow)] == [(3, "unknown label")]
    assert len(found) == 24
    del rows[4:20]  # one of six is no row now: too few to call the quotes ordinary, too many to be a text
    quoting, found = read(tsv(*rows).replace("\t\n", "\n"), TABS)
    assert quoting == Quoting(joined=frozenset({2}))
    assert [(row.line, getattr(row, "kind", None)) for row in found] == [
        *((line, JOINED_LINES) for line in (2, 3, 4, 5, 6, 7, 9)),
        (10, None),
    ]


@pytest.mark.parametrize("fmt", [LABELLED, UNKNOWN], ids=["labels known", "labels unknown"])
@pytest.mark.parametrize(
    "text",
    [
        "Dear all,\nI like it, really\nbye",
        "one, two\nthree, four",
        "\n\n",
        "a list:\n1, apples\n2, pears\n3, plums",
        "so good\n\nso bad",
        "I feel, fine\nyou feel, worse",
    ],
)
def test_a_text_of_several_lines_stays_one_row_even_if_they_have_as_many_delimiters_as_the_header(fmt, text):
    for content in (
        f'text,label\nfirst,good\nsecond,bad\n"{text}",good\nlast,bad\n',
        f'text,label\n"{text}",good\nfirst,good\nsecond,bad\nlast,bad\n',
        f'label,text\ngood,first\nbad,second\ngood,"{text}"\nbad,last\n',
    ):
        quoting, rows = read(content, fmt)
        assert quoting == Quoting()
        assert text.strip() == "" or text in [row.text for row in rows]
        assert len(rows) == 4


def test_without_labels_a_column_of_numbers_or_tabs_tell_rows_from_texts_of_several_lines():
    unlabelled = RowFormat("text", "label", (), labelled=False)
    swallowing = 'id,text\n1,"lamp on now\n2,lamp off\n3,dim it\n4,lamp off "\n5,lamp on\n'
    several = '1,"Dear all\nfine, thanks"\n2,lamp off\n'
    assert [row.text for row in read(swallowing, unlabelled)[1]] == [
        '"lamp on now',
        "lamp off",
        "dim it",
        'lamp off "',
        "lamp on",
    ]
    assert [row.text for row in read(f"id,text\n{several}", unlabelled)[1]] == ["Dear all\nfine, thanks", "lamp off"]
    words = 'name,text\nx,"lamp on now\ny,lamp off "\nz,lamp on\n'
    assert len(read(words, unlabelled)[1]) == 2
    assert (
        len(
            read(
                words.replace(",", "\t"),
                RowFormat("text", "label", (), labelled=False, dialect=Dialect(delimiter="\t")),
            )[1]
        )
        == 3
    )


def test_a_file_of_one_column_may_have_texts_of_several_lines():
    unlabelled = RowFormat("text", "label", (), labelled=False)
    quoting, rows = read('text\n"two\nlines"\nlast\n', unlabelled)
    assert quoting == Quoting()
    assert [row.text for row in rows] == ["two\nlines", "last"]
    assert [row.text for row in read('text\n"Great" product\nlast\n', unlabelled)[1]] == ['"Great" product', "last"]


@pytest.mark.parametrize(("quoting", "count"), [("standard", 11), ("none", 22)])
def test_what_the_config_says_goes_before_what_is_found(quoting, count):
    fmt = RowFormat("text", "label", ("good", "bad"), dialect=Dialect(delimiter="\t", quoting=quoting))
    found, rows = read(tsv(*SWALLOWING), fmt)
    assert found == Quoting(ordinary=quoting == "none")
    assert len(rows) == count
    assert all(isinstance(row, Row) for row in rows)


def test_a_record_beyond_the_bound_is_taken_apart_too(monkeypatch):
    monkeypatch.setattr(csv_records, "MAX_TEXT_CHARACTERS", 2000)
    rows = [('"never closed', "good"), *PLAIN * 20]
    quoting, found = read(tsv(*rows), TABS)
    assert quoting.ordinary
    assert len(found) == 401


def test_texts_of_any_lines_survive_being_quoted_as_the_csv_module_does_it():
    chosen = random.Random(5)  # noqa: S311
    for _ in range(200):
        delimiter = chosen.choice(",;\t|")
        fmt = RowFormat("text", "label", chosen.choice([("good", "bad"), ()]), dialect=Dialect(delimiter))
        rows = [
            (
                "".join(chosen.choices(["a", "1", "\n", "\n", delimiter, '"', " ", delimiter + "fine\n"], k=9)) + "x",
                chosen.choice(["good", "bad"]),
            )
            for _ in range(30)
        ]
        file = io.StringIO(newline="")
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n", quoting=chosen.choice([0, 1]))
        writer.writerows([("text", "label"), *rows])
        assert [(row.text, row.label) for row in read(file.getvalue(), fmt)[1]] == rows


@pytest.mark.parametrize(
    ("name", "columns", "count"),
    [
        ("davidson_hate_speech.csv", ("tweet", "class"), 24_783),
        ("banking77_train.csv", ("text", "category"), 10_003),
        ("banking77_test.csv", ("text", "category"), 3_080),
        ("tweeteval_emotion_train.csv", ("text", "label"), 3_631),
    ],
)
@pytest.mark.parametrize("labelled", [True, False])
def test_real_files_that_quote_are_read_as_before(name, columns, count, labelled):
    if not (DATA / name).exists():
        pytest.skip("the file is not here")
    content = (DATA / name).read_text(encoding="utf-8")
    quoting, rows = read(content, RowFormat(*columns, (), labelled=labelled))
    assert quoting == Quoting()
    assert len(rows) == count
