"""Damaged WFDB records: leads or a refusal come out, in bounded memory, and nothing else."""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vitalake.ecg.readers.wfdb.test_segments import FIXED, VARIABLE
from tests.vitalake.ecg.readers.wfdb_files import record
from vitalake.ecg.readers.wfdb.reader import Incomplete, is_header, needed, read
from vitalake.ecg.recording import Recording
from vitalake.errors import UnusableDataError

MAX_SAMPLES = 12_000  # a few of the real records hold more
RULES = ("S01", "S02", "S07", "S08")
PIECES = (b" ", b"/", b":", b"+", b"x", b"(", b")", b"\n", b"#", b"~", b"-", b"..", b"0", b"9" * 9, b"9" * 30,
          b"1e308", b"nan", b".", b"\0", b"\xff", "\u0663".encode(), b"212", b"310", b"8")  # fmt: skip


def outcome(name: str, files: dict[str, bytes]) -> str:
    """What came of it; fails on any other error, and on leads that are not what the model promises."""
    try:
        found = read(name, files, max_samples=MAX_SAMPLES)
    except UnusableDataError as error:
        assert error.rule in RULES
        return error.rule
    if isinstance(found, Incomplete):
        assert not files.keys() & set(found.missing)
        return "incomplete"
    check(found)
    return "read"


def check(recording: Recording) -> None:
    assert 0 < sum(len(lead.samples) for lead in recording.leads) <= MAX_SAMPLES
    for lead in recording.leads:
        assert lead.name
        assert lead.samples.ndim == 1
        assert lead.samples.dtype.name in ("int32", "float64")
        assert lead.sampling_rate_hz > 0
        assert lead.gain_adu_per_unit != 0
        assert lead.missing is None or lead.missing.shape == lead.samples.shape


def damage(data: bytes, source: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(source.choice((1, 1, 2, 5))):
        at = source.randrange(len(changed) + 1)
        changed[at : at + source.choice((0, 1, 1, 3))] = source.choice((*PIECES, source.randbytes(1)))
    return bytes(changed[: source.randrange(len(changed) + 1)] if source.random() < 0.1 else changed)


def damaged_records(originals: dict[str, dict[str, bytes]], count: int, seed: int) -> dict[str, int]:
    """Outcomes by name; memory stays within a few bytes for each allowed sample."""
    source = random.Random(seed)
    outcomes: dict[str, int] = {}
    tracemalloc.start()
    try:
        for number in range(count):
            name, files = list(originals.items())[number % len(originals)]
            header = source.choice([file for file in files if file.endswith(".hea")])
            part = header if source.random() < 0.8 else source.choice(list(files))
            happened = outcome(name, {**files, part: damage(files[part], source)})
            outcomes[happened] = outcomes.get(happened, 0) + 1
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40 * MAX_SAMPLES + 2**20
    return outcomes


def test_damaged_records_of_segments_end_in_leads_or_a_refusal() -> None:
    outcomes = damaged_records({"r.hea": FIXED}, 1500, 1)
    for happened, times in damaged_records({"r.hea": VARIABLE}, 1500, 2).items():
        outcomes[happened] = outcomes.get(happened, 0) + times
    assert {"read", "incomplete", "S02", "S08"} <= outcomes.keys()


@pytest.mark.data
def test_damaged_real_records_end_in_leads_or_a_refusal(data_dir: Path) -> None:
    folder = data_dir / "wfdb_sample"
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.stat().st_size < 40_000}
    originals = {}
    for name, data in files.items():
        if is_header(name, data) and all(file in files for file in needed(data)):
            originals[name] = {file: files[file] for file in (name, *needed(data))}
    assert len(originals) > 10
    outcomes = damaged_records(originals, 4000, 3)
    assert {"read", "incomplete", "S01", "S02", "S08"} <= outcomes.keys()
    assert outcomes["read"] > 500


HEADERS = st.lists(
    st.sampled_from(("\n", "\n", " ", " ", "r", "d", "r_1", "/", "1", "2", "16", "212", "8", "x2", ":3", "+1",
                     "200", "(5)", "/mV", "#", "~", "100", "-1", "1e9", ".")),
    max_size=40,
).map("".join)  # fmt: skip


@given(HEADERS | st.text(max_size=60), HEADERS, st.binary(max_size=60))
@settings(max_examples=500, deadline=None)
def test_any_text_as_header_ends_in_leads_or_a_refusal(header: str, segment: str, data: bytes) -> None:
    outcome("r.hea", {"r.hea": header.encode(), "r_1.hea": segment.encode(), "d": data})


def test_more_pieces_than_a_million_are_refused_though_their_samples_may_fit() -> None:
    leads = {f"lead {at}": [1] for at in range(10)}
    files = {**record("a", leads), "r.hea": b"r/100001 10 100 100001\n" + b"a 1\n" * 100_001}
    with pytest.raises(UnusableDataError, match="S01: 1,000,010 samples in 10 leads and 100,001 segments"):
        read("r.hea", files, max_samples=10**9)
