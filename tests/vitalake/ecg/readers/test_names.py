"""What a file may say in its own words: names of signals pass, names of people do not, wherever they stand."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.vitalake.ecg.readers import aecg_files, scp_files
from tests.vitalake.ecg.readers.edf_files import Made, make_edf
from tests.vitalake.ecg.readers.ishne_files import ishne_file
from tests.vitalake.ecg.readers.wfdb_files import record
from vitalake.ecg.readers import ishne
from vitalake.ecg.readers.aecg import reader as aecg
from vitalake.ecg.readers.edf import reader as edf
from vitalake.ecg.readers.names import device_model, lead_name, subject_identifier
from vitalake.ecg.readers.scp import reader as scp
from vitalake.ecg.readers.text import reader as text
from vitalake.ecg.readers.wfdb import reader as wfdb
from vitalake.ecg.recording import Recording

PLENTY = 1000
ROWS = [[1, 2], [3, 4]]

# fmt: off
SIGNALS = [
    "I", "ii", "III", "aVR", "avl", "AVF", "-aVR", "V", "V1", "v6", "V9", "V3R", "V7R", "vx", "X", "MLI",
    "MLII", "MLV", "MCL1", "CM5", "CC5", "ML5", "mod.V1", "V1-V2", "(v2-v1)", "E-S", "LA", "ES", "D4", "ECG",
    "EKG", "ECG1", "ECG 1", "ECG_4", "ECG Channel 1", "ECG lead 3", "Lead I", "LeadII", "ecgLead2", "lead  II",
    "II+", "II (raw)", "lead_3", "ch1", "channel 2", "col 0", "sig 0, fmt 8", "sig 5, fmt 212", "ABP", "ART",
    "CVP", "PAP", "Resp", "RESP (chest)", "PLETH", "SpO2", "SaO2", "EtCO2", "BP", "EEG (C4-A1)", "EEG Fp1",
    "EOG left", "EMG chin", "Pulse", "PPG", "RRS", "annotations", "record", "Kanal 1", "2", "12", "b", "mV",
]
PEOPLE = [
    "John", "Smith", "JOHN", "SMITH", "smith", "John Smith", "Smith^John", "SMITH, J", "M\u00fcller", "MULLER",
    "Frank X", "ECG John", "John1", "ROE42", "J.S.", "J S", "N G", "LEE", "KIM", "WU", "Li", "Jo", "LeadJohn",
    "J o h n", "JSmith", "19511202", "1951-12-02", "02.12.51", "02/12/1951", "1951", "MRN 12345", "0612345678",
    "V12345", "ECG 1951", "\u0406", "V\u0661", "V1\n", "V1\tV2", "", " ", "-", "(.)", "V1 " * 9,
    "john@example.org", "<V1>", "V1;V2",
]
PLACEHOLDERS = [
    None, "", " ", "\t", "-", "--", "?", "***", "0", "000", "0-0", "X", "x", "XXX", "X X X X", "x0",
    "ANONYMOUS", "anonymous", "Anonymous^Patient", "anonymized", "de-identified", "unknown", "UNKNOWN UNKNOWN",
    "none", "None", "n/a", "N.A.", "NA", "null", "nan", "test", "Test_Patient", "no name", "not available",
    "no ID", "dd-MMM-yyyy", "M",
]
# fmt: on


@pytest.mark.parametrize("name", SIGNALS)
def test_names_of_signals_stay_as_they_are_spelled(name: str) -> None:
    assert lead_name(name, 7) == lead_name(f" {name} ", 7) == name


@pytest.mark.parametrize("name", PEOPLE)
def test_everything_else_becomes_a_number(name: str) -> None:
    assert lead_name(name, 7) == "lead_7"


WORDS = st.sampled_from(
    ["Smith", "JOHN", "ECG", "V1", "lead", "B", "NG", " ", "_", "-", ", ", "12", "\u00e9", "\0"]
)


@given(st.one_of(st.text(), st.lists(WORDS).map("".join), st.text("IVXaFRLM125 -_.", max_size=30)))
@example("V1" * 12)
def test_a_name_is_short_harmless_and_the_same_when_read_again(name: str) -> None:
    found = lead_name(name, 7)
    assert found in (name.strip(" "), "lead_7")
    assert 0 < len(found) <= 24
    assert found.isascii()
    assert found.isprintable()
    assert not {"smith", "john"} & {word.lower() for word in found.replace("_", " ").split()}
    assert lead_name(found, 7) == found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Maker, Inc. ELI250", "Maker, Inc. ELI250"),
        ("  Maker\r\n\t M\u00b51\0\x1b[2J\u202e ", "Maker M\u00b51[2J"),
        ("M" * 61, "M" * 60),
        ("M" * 59 + " 1", "M" * 59),
        ("", None),
        (" \0\n", None),
        (None, None),
    ],
)
def test_a_device_is_one_short_line(name: str | None, expected: str | None) -> None:
    assert device_model(name) == expected


@given(st.text())
def test_any_text_gives_a_device_of_printable_characters_or_none(name: str) -> None:
    found = device_model(name)
    assert found is None or (found.isprintable() and found == found.strip() and 0 < len(found) <= 60)


@pytest.mark.parametrize("identifier", PLACEHOLDERS)
def test_a_placeholder_identifies_nobody(identifier: str | None) -> None:
    assert subject_identifier(identifier) is None


@pytest.mark.parametrize(
    "identifier",
    [
        "7",
        "642341",
        "P-17",
        "SBJ-123",
        "subject1",
        "0001",
        "X1",
        "ANON_0001",
        "Patient 3",
        "Haagse Harry",
        "Xaver",
        "\u674e",
    ],
)
def test_an_identifier_stays_as_it_is(identifier: str) -> None:
    assert subject_identifier(f" {identifier}\n") == identifier


def read_wfdb(files: dict[str, bytes]) -> Recording:
    found = wfdb.read("r.hea", files, max_samples=PLENTY)
    assert isinstance(found, Recording)
    return found


def in_segments(name: str) -> dict[str, bytes]:
    return {**record("r_1", {name: [1, 2], "II": [3, 4]}), "r.hea": b"r/1 2 100 2\nr_1 2\n"}


def in_aecg(name: str) -> bytes:
    leads = aecg_files.lead(name, "1 2") + aecg_files.lead("MDC_ECG_LEAD_II", "3 4")
    return aecg_files.document([aecg_files.series(leads)])


@pytest.mark.parametrize("name", ["John Smith", "SMITH"])
@pytest.mark.parametrize(
    "read",
    [
        lambda name: text.read(f"{name},II\n1,2\n3,5\n".encode(), max_samples=PLENTY),
        lambda name: text.read(f"# labels: {name}, II\n1,2\n3,5\n".encode(), max_samples=PLENTY),
        lambda name: edf.read(make_edf(Made(ROWS, name), Made(ROWS, "II")), max_samples=PLENTY),
        lambda name: aecg.read(in_aecg(name), max_samples=PLENTY),
        lambda name: aecg.read(in_aecg(f"MDC_ECG_LEAD_{name}"), max_samples=PLENTY),
        lambda name: read_wfdb(record("r", {name: [1, 2], "II": [3, 4]})),
        lambda name: read_wfdb(in_segments(name)),
    ],
    ids=["text", "text-labels", "edf", "aecg", "aecg-mdc", "wfdb", "wfdb-segments"],
)
def test_no_reader_hands_over_a_name_of_a_person(read: Callable[[str], Recording], name: str) -> None:
    recording = read(name)
    assert [lead.name for lead in recording.leads] == ["lead_1", "II"]
    assert name not in repr(recording)


def in_ishne(identifier: bytes) -> bytes:
    data = ishne_file(np.ones((3, 4)))
    return data.replace(b"P-17", identifier.ljust(4, b"\0"))


def in_scp(identifier: bytes) -> bytes:
    sections = {
        1: scp_files.tags(t2=identifier + b"\0", t14=bytes(8) + b"E\x01 90\0"),
        3: scp_files.lead_table([(1, 2, 1)]),
        6: scp_files.waveforms([struct.pack("<2h", 1, 2)]),
    }
    return scp_files.record(sections)


@pytest.mark.parametrize(("identifier", "expected"), [(b"0000", None), (b"TEST", None), (b"Q-18", "Q-18")])
def test_readers_know_placeholders(identifier: bytes, expected: str | None) -> None:
    document = in_aecg("X").replace(b"P-17", identifier)
    found = [
        ishne.read(in_ishne(identifier), max_samples=PLENTY),
        scp.read(in_scp(identifier), max_samples=PLENTY),
        aecg.read(document, max_samples=PLENTY),
        edf.read(make_edf(Made(ROWS), patient=identifier.decode()), max_samples=PLENTY),
    ]
    assert [recording.subject for recording in found] == [expected] * 4
    assert [recording.device_model for recording in found] == ["digital", "E 90", "Maker M1", None]
