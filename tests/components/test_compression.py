import io
import resource
import subprocess
import sys

import pandas as pd
import pytest
import zstandard

from fullbake.components.data.compression import COMPRESSIONS, decompressed
from fullbake.components.data.data_files import opened
from fullbake.components.data.file_kinds import WrongKindError
from tests.components import data_formats
from tests.components.data_formats import zipped

# Enough text that does not repeat, so that half of a file is not all of it.
CSV = "text,label\n" + "".join(f"{number * 7919 % 100_003} {number},good\n" for number in range(20_000))
CONTENT = CSV.encode()
SUFFIXES = [found.suffix for found in COMPRESSIONS]


def compressed(suffix: str) -> bytes:
    return data_formats.COMPRESSIONS[suffix](CONTENT)


def read(content: bytes, name: str) -> bytes:
    return decompressed(io.BytesIO(content), name).read()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_others_compress_is_read(suffix, tmp_path):
    (tmp_path / f"a.csv{suffix}").write_bytes(compressed(suffix))
    with opened(str(tmp_path / f"a.csv{suffix}")) as stream:
        assert stream.read() == CONTENT


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_read_by_others(suffix, tmp_path):
    file = tmp_path / f"a.csv{suffix}"
    (written,) = [found for found in COMPRESSIONS if found.suffix == suffix]
    with file.open("wb") as sink, written.write(sink, file.name) as stream:
        stream.write(CONTENT)
    assert pd.read_csv(file).equals(pd.read_csv(io.BytesIO(CONTENT)))


@pytest.mark.parametrize("damage", ["cut", "halved", "overwritten", "other"])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_damaged_file_is_one_error_whatever_the_library_says(suffix, damage):
    whole = compressed(suffix)
    middle = len(whole) // 2
    damaged = {
        "cut": whole[:-9],
        "halved": whole[:middle],
        "overwritten": whole[:middle]
        + bytes(byte ^ 0x55 for byte in whole[middle : middle + 40])
        + whole[middle + 40 :],
        "other": CONTENT,
    }[damage]
    with pytest.raises(WrongKindError, match=r"^is not a whole (gzip|bzip2|xz|zstd|zip) file \(.*\); copy it here"):
        read(damaged, f"a.csv{suffix}")


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_a_file_of_several_parts_is_read_whole(suffix):
    assert read(compressed(suffix) * 2, f"a.csv{suffix}") == CONTENT * 2


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (zipped(b"", "a.csv", "b.csv"), "a.zip", "is a zip archive with 2 files in it, not one; unpack it"),
        (zipped(b"", ".a.csv", "folder/"), "a.zip", "is a zip archive with no files in it, not one; unpack it"),
        (zipped(b"", "x.jsonl"), "a.zip", "is a zip archive with 'x.jsonl' in it; let its name end in .jsonl.zip"),
        (zipped(b"", "x.csv"), "a.jsonl.zip", "is a zip archive with 'x.csv' in it; let its name end in .csv.zip"),
        (zipped(b"", "x.csv.gz"), "a.zip", "is a zip archive with a compressed file in it, 'x.csv.gz'; unpack it"),
    ],
)
def test_a_zip_archive_that_is_not_one_file_of_its_own_format_is_refused(content, name, message):
    with pytest.raises(WrongKindError) as refused:
        read(content, name)
    assert str(refused.value) == message


def test_a_zip_archive_with_a_password_is_refused():
    content = bytearray(zipped(b"secret", "a.csv"))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # APPNOTE 4.3.7 and 4.3.12
        content[content.index(signature) + flags] |= 1
    with pytest.raises(WrongKindError, match=r"^is a zip archive with a password; unpack it$"):
        read(bytes(content), "a.zip")


def test_a_zip_archive_with_a_table_of_tabs_is_read():
    assert read(zipped(b"a\tb\n", "folder/train.tsv"), "archive.zip") == b"a\tb\n"


def test_memory_stays_flat_however_much_is_compressed(tmp_path):
    (tmp_path / "a.csv.zst").write_bytes(zstandard.ZstdCompressor().compress(bytes(2**30)))
    code = "import sys\nfrom fullbake.components.data.data_files import opened\n"
    code += "with opened(sys.argv[1]) as stream:\n print(sum(len(c) for c in iter(lambda: stream.read(65536), b'')))\n"
    limited = lambda: resource.setrlimit(resource.RLIMIT_AS, (2**29, 2**29))  # noqa: E731
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "a.csv.zst"],
        preexec_fn=limited,
        capture_output=True,
        text=True,
    )
    assert done.stdout == f"{2**30}\n", done.stderr
