"""What a config may say of slices, and what it says to the components."""

import pytest
import yaml

from fullbake.components.data.row_slices import RowSlices
from tests.pipeline.config.refusal import MINIMAL, refusal

TEXT = yaml.safe_dump(MINIMAL)
IDENTITIES = "gate.identity_columns=[male, female]"


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (("gate.min_slice_recall={bad: 0.5}",), "gate.min_slice_recall: there are no slices to hold it against; name"),
        (("gate.min_bias_auc={bpsn: 0.8}", "gate.slices=[channel]"), "gate.min_bias_auc: bias is measured of identiti"),
        ((IDENTITIES, "gate.min_bias_auc={bspn: 0.8}"), "'bspn' is not one of subgroup, bpsn, bnsp, mean_subgroup, "),
        ((IDENTITIES, "gate.min_bias_auc={bspn: 0.8}"), "did you mean 'bpsn'?"),
        ((IDENTITIES, "gate.min_slice_recall={badd: 0.5}"), "gate.min_slice_recall: 'badd' is not in data.labels (go"),
        ((IDENTITIES, "gate.slices=[male]"), "gate.identity_columns: 'male' is gate.slices, too; name another column"),
        (("gate.slices=[label]",), "gate.slices: 'label' is data.label_column, too; name another column"),
        (("gate.slices=[a, a]",), "gate.slices: 'a' is gate.slices, too; name another column"),
        (("gate.length_slices=[100, 50]",), "gate.length_slices: 100, 50 do not rise; write each length once, the sho"),
        (("gate.length_slices=[50, 50]",), "gate.length_slices: 50, 50 do not rise"),
        (
            ("gate.length_slices=[50]", "gate.min_slice_recall={bad: 1}", "gate.confidence=0.9"),
            "gate.min_slice_recall: no number of test rows shows with a confidence of 0.9 that 'bad' is at 1",
        ),
    ],
)
def test_slices_that_cannot_be_are_refused_in_one_line(load, overrides: tuple[str, ...], told: str):
    assert told in refusal(load, TEXT, *overrides)


def test_slices_are_read_with_the_rows_under_their_keys_names(load):
    config = load(TEXT, "gate.slices=[channel, 7]", IDENTITIES, "gate.length_slices=[50, 100]")
    assert config.row_format.slices == RowSlices(("channel", "7"), ("male", "female"), (50, 100))
    wanted = [("slices", "channel"), ("slices", "7"), ("identity_columns", "male"), ("identity_columns", "female")]
    assert config.row_format.wanted == config.data.row_format.wanted + wanted
    assert config.row_format.names["identity_columns"] == "gate.identity_columns"
    assert not load(TEXT).row_format.slices
