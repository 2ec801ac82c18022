"""Whatever a file says in its own words stays in its reader, of good recordings and of broken ones."""

from __future__ import annotations

import itertools

import pytest

from tests.canary import traces
from tests.vitalake.ecg.canary_files import canary_files
from tests.vitalake.ecg.reading import read_objects
from vitalake.datasets.ecg import ECG
from vitalake.ecg.tables import RECORDINGS, SIGNALS

FILES = canary_files()
GROUPS = [
    [*keys] for _, keys in itertools.groupby(FILES, lambda key: key.rpartition("/")[0] if "wfdb/" in key else key)
]


@pytest.mark.parametrize("keys", GROUPS, ids=lambda keys: keys[0])
def test_neither_a_row_nor_a_refusal_names_anybody(keys: list[str]) -> None:
    parsed = read_objects({f"ecg/{key}": FILES[key] for key in keys})
    assert parsed.values or parsed.refusals
    assert [traces(refusal.message) for refusal in parsed.refusals] == [[]] * len(parsed.refusals)
    found = ECG.tabulate(parsed.values).tables
    for table in (found[RECORDINGS.name], found[SIGNALS.name].drop_columns(["samples", "samples_real"])):
        assert traces(str(table.to_pylist())) == []


def test_the_files_are_good_and_bad_ones_of_every_format() -> None:
    parsed = [read_objects({f"ecg/{key}": FILES[key] for key in keys}) for keys in GROUPS]
    formats = {value.recording.file_format for each in parsed for value in each.values}
    assert {
        "matlab_v4",
        "matlab_v5",
        "matlab_v7.3",
        "wfdb",
        "edf",
        "dicom",
        "aecg",
        "ishne",
        "scp",
        "text",
    } <= formats
    folders = {refusal.key.split("/")[1] for each in parsed for refusal in each.refusals}
    assert folders == {key.split("/")[0] for key in FILES}
