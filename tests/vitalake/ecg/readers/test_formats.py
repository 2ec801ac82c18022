"""Objects that belong together: every one of them ends in a recording or in quarantine, and a wait is visible."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.vitalake.ecg.matlab_files import strip, v4_file
from tests.vitalake.ecg.reading import read_objects
from vitalake.lake.contents import Parsed

SAMPLES = (np.arange(2 * 3600) % 400).astype("<i2").reshape(-1, 2)
HEADER = "{name} 2 360 3600\n{data} 16 200/mV 16 0 0 0 0 I\n{data} 16 200/mV 16 0 0 0 0 II\n"


def header(name: str, data: str) -> bytes:
    return HEADER.format(name=name, data=data).encode()


PAIR = {"ecg/a/100.hea": header("100", "100.dat"), "ecg/a/100.dat": SAMPLES.tobytes()}


def keys(parsed: Parsed) -> list[str]:
    """Every key that was heard of again, as often as that was."""
    used = {key for value in parsed.values for key in (value.source["source_key"], *value.source["companion_keys"])}
    return sorted([*used, *(refusal.key for refusal in parsed.refusals)])


def test_a_header_and_its_signal_file_are_one_recording_and_annotations_come_along() -> None:
    parsed = read_objects({**PAIR, "ecg/a/100.atr": b"\0\x48\x31\x04", "ecg/a/100.txt": b"kept"})
    assert parsed.refusals == ()
    (arrival,) = parsed.values
    assert arrival.source["source_key"] == "ecg/a/100.hea"
    assert arrival.source["companion_keys"] == ["ecg/a/100.atr", "ecg/a/100.dat", "ecg/a/100.txt"]
    assert [lead.name for lead in arrival.recording.leads] == ["I", "II"]
    np.testing.assert_array_equal(arrival.recording.leads[1].samples, SAMPLES[:, 1])


@pytest.mark.parametrize(("present", "missing"), [("100.hea", "'100.dat'"), ("100.dat", "'100.hea'")])
def test_half_a_recording_waits_and_says_since_when_and_for_what(present: str, missing: str) -> None:
    parsed = read_objects({key: data for key, data in PAIR.items() if key.endswith(present)})
    assert parsed.values == ()
    (refusal,) = parsed.refusals
    assert (refusal.key, refusal.rule) == (f"ecg/a/{present}", "S16")
    assert refusal.message == f"incomplete since 2026-11-20 12:00:00 UTC: waits for {missing}"


def test_a_matlab_file_that_a_header_names_gets_its_gain_and_leads_from_it() -> None:
    line = "E1.mat 16x1+24 1000(0)/mv 16 0 0 0 0 "
    text = f"E1 2 500 3600\n{line}I\n{line}II\n# Dx: 426783006\n".encode()
    matrix = v4_file(SAMPLES.T)
    assert matrix[20:24] == b"val\0"
    (arrival,) = read_objects({"ecg/E1.hea": text, "ecg/E1.mat": matrix}).values
    first, second = arrival.recording.leads
    assert (first.unit, first.gain_adu_per_unit, first.sampling_rate_hz) == ("mV", 1000, 500)
    np.testing.assert_array_equal(second.samples, SAMPLES[:, 1])
    assert arrival.source["label"] == "426783006"


def test_two_headers_may_share_a_signal_file_and_a_broken_one_takes_nobody_along() -> None:
    files = {**PAIR, "ecg/a/100-copy.hea": header("100-copy", "100.dat"), "ecg/a/100-bad.hea": b"100-bad 1 0 10\n"}
    parsed = read_objects(files)
    assert sorted(value.source["source_key"] for value in parsed.values) == ["ecg/a/100-copy.hea", "ecg/a/100.hea"]
    assert [(refusal.key, refusal.rule) for refusal in parsed.refusals] == [("ecg/a/100-bad.hea", "S02")]


def test_a_recording_that_cannot_be_used_refuses_each_of_its_objects_with_the_reason() -> None:
    parsed = read_objects({**PAIR, "ecg/a/100.dat": SAMPLES[:1000].tobytes(), "ecg/a/100.atr": b"\0\x48\x31\x04"})
    assert parsed.values == ()
    assert {refusal.key for refusal in parsed.refusals} == {f"ecg/a/100.{end}" for end in ("hea", "dat", "atr")}
    assert {refusal.rule for refusal in parsed.refusals} == {"S08"}


def test_a_shared_signal_file_is_not_in_quarantine_with_the_header_that_cannot_use_it() -> None:
    short = header("100-short", "100.dat").replace(b"360 3600", b"1000 3600")  # 3.6 s of the same samples
    shorter = short.replace(b"100-short", b"100-shorter")
    parsed = read_objects({**PAIR, "ecg/a/100-short.hea": short, "ecg/a/100-shorter.hea": shorter})
    assert [value.source["source_key"] for value in parsed.values] == ["ecg/a/100.hea"]
    assert [(refusal.key, refusal.rule) for refusal in parsed.refusals] == [
        ("ecg/a/100-short.hea", "S08"),
        ("ecg/a/100-shorter.hea", "S08"),
    ]
    alone = read_objects(
        {"ecg/a/100-short.hea": short, "ecg/a/100-shorter.hea": shorter, **dict([*PAIR.items()][1:])}
    )
    assert alone.values == ()
    assert sorted(refusal.key for refusal in alone.refusals) == sorted(
        ["ecg/a/100-short.hea", "ecg/a/100-shorter.hea", "ecg/a/100.dat"]
    )


def test_a_recording_beside_a_header_is_a_recording_of_its_own() -> None:
    parsed = read_objects({**PAIR, "ecg/a/100.mat": v4_file(strip())})
    assert sorted(value.source["source_key"] for value in parsed.values) == ["ecg/a/100.hea", "ecg/a/100.mat"]


def test_a_header_may_not_reach_out_of_its_folder() -> None:
    parsed = read_objects({"ecg/a/100.hea": header("100", "../b/100.dat"), "ecg/a/100.dat": SAMPLES.tobytes()})
    assert {refusal.rule for refusal in parsed.refusals} == {"S02"}
    assert len(parsed.refusals) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a note about the patient\n", "the first line is no record line"),
        (header("100", "100.dat").replace(b"360", b"360Hz"), "the first line is no record line"),
        (header("100", "100.dat").decode().encode("utf-16"), "the first line is no record line"),
        (b"# only comments\n", "the header has no record line"),
        (header("100", "100.dat").replace(b".dat 16", b".dat 516"), "storage format 516, expected one of 8"),
        (header("100", "100.dat").replace(b".dat 16", b".dat x"), "signal 1 has no storage format"),
    ],
)
def test_a_header_that_is_there_and_cannot_be_read_is_told_of_it_and_of_its_file(content: bytes, said: str) -> None:
    parsed = read_objects({**PAIR, "ecg/a/100.hea": content})
    assert parsed.values == ()
    assert {refusal.rule for refusal in parsed.refusals} == {"S02"}
    assert [said in refusal.message for refusal in parsed.refusals] == [True, True]
    assert "patient" not in repr(parsed.refusals)


def test_nothing_waits_for_a_header_that_is_there_and_empty() -> None:
    parsed = read_objects({**PAIR, "ecg/a/100.hea": b""})
    assert {refusal.key[-3:]: (refusal.rule, refusal.message) for refusal in parsed.refusals} == {
        "hea": ("S01", "the object is empty (0 bytes)"),
        "dat": ("S02", "its WFDB header, '100.hea', cannot be read: it is empty (0 bytes)"),
    }


@pytest.mark.parametrize("name", ["ecg/a/100.hea.txt", "ecg/a/100.HEA", "ecg/a/100"])
def test_a_header_under_another_name_is_told_as_one(name: str) -> None:
    [refusal] = read_objects({name: header("100", "100.dat")}).refusals
    assert refusal.rule == "S02"
    assert refusal.message == "a WFDB header under another name: call it '….hea', beside the files that it names"


def test_json_is_told_as_what_it_is() -> None:
    [refusal] = read_objects({"ecg/a.json": b'{"data": [{"ecg": {"Samples": [1, 2]}}]}'}).refusals
    assert (refusal.rule, refusal.message.partition(",")[0]) == ("S02", "it begins as JSON")


names = st.sampled_from(["100.hea", "100.dat", "100.atr", "100_1.hea", "100_1.dat", "100.mat", "100.txt"])
contents = st.one_of(
    st.sampled_from([*PAIR.values(), header("100", "100_1.hea"), header("100_1", "100.hea"), v4_file(strip())]),
    st.binary(max_size=200),
    st.builds(
        lambda lines: "\n".join(lines).encode(),
        st.lists(st.sampled_from(["100/2 1 360", "100_1 3600", "~ 20", "100 1 360", "100.dat 16", "#", "100.hea"])),
    ),
)


@given(st.dictionaries(names, contents, min_size=1))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_lies_together_each_object_is_heard_of_exactly_once(files: dict[str, bytes]) -> None:
    objects = {f"ecg/{name}": data for name, data in files.items()}
    assert keys(read_objects(objects)) == sorted(objects)


@pytest.mark.data
def test_every_real_recording_is_read_or_refused_with_a_reason(data_dir: Path) -> None:
    """Folders as they lie there, each file alone or with what belongs to it."""
    from vitalake.ecg.readers.wfdb.names import recordings

    formats: dict[str, int] = {}
    for folder in ("mitdb", "wfdb_sample", "dicom", "aecg", "scp_edf", "ishne", "edf", "csv", "mat_other"):
        files = {path.name: path for path in sorted((data_dir / folder).iterdir()) if path.is_file()}
        groups: dict[str, dict[str, bytes]] = {}
        group_of = recordings(files)
        for name, path in files.items():
            groups.setdefault(group_of.get(name, name), {})[name] = path.read_bytes()
        for group in groups.values():
            parsed = read_objects(group)
            assert keys(parsed) == sorted(group)
            for value in parsed.values:
                formats[value.recording.file_format] = formats.get(value.recording.file_format, 0) + 1
    assert {"wfdb", "dicom", "aecg", "scp", "edf", "ishne", "text", "matlab_v5"} <= formats.keys()
