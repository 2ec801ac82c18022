"""`vitalake ecg show` on a lake with one recording of each kind that matters to it."""

from __future__ import annotations

import io
import os
import pty
import re
import struct
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cli.demo.heart import TWELVE, noise_mv
from cli.demo.recordings import SAMPLING_RATE_HZ, matlab_v4, other_formats, stored, strip_mv
from cli.ecg.text import braille
from cli.environment import write_env
from cli.lake_connection import lake_connection
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.cli.conftest import DAYS, Vitalake, build
from vitalake.serving import recording_queries

ROOT = Path(__file__).resolve().parents[3]
FOLDER = f"ecg/date={DAYS[0]}/device=demo-a"
TWELVE_LEADS, LONG, BAD = (f"{FOLDER}/{name}" for name in ("rest_01.hea", "three-minutes.mat", "minute.mat"))
BAD_PART = slice(20 * SAMPLING_RATE_HZ, 30 * SAMPLING_RATE_HZ)
RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def built(file_settings: Settings) -> Settings:
    """Twelve leads, three minutes of which 25 s are noisy, a bad minute with the lead off from 20 to 30 s."""
    raw = ObjectStore(file_settings, file_settings.raw_bucket)
    for file in other_formats(date.fromisoformat(DAYS[0])):
        if file.kind in ("12 leads", "3 minutes"):
            raw.put(f"{FOLDER}/{file.key.rpartition('/')[2]}", file.data, expected=None)
    x = strip_mv("clean", RNG, 60.0) + noise_mv(RNG, np.arange(60 * SAMPLING_RATE_HZ) / SAMPLING_RATE_HZ)
    x[BAD_PART] = 0.0
    raw.put(BAD, matlab_v4(stored(x)), expected=None)
    raw.put(f"{FOLDER}/empty.mat", b"", expected=None)
    worn = "".join(f"{n / SAMPLING_RATE_HZ:.4f},{v:.4f},{n % 7}\n" for n, v in enumerate(strip_mv("clean", RNG)))
    raw.put(f"{FOLDER}/worn.csv", b"time [s],ECG [mV],acc_x\n" + worn.encode(), expected=None)
    build(file_settings, DAYS[0])
    return file_settings


@pytest.fixture
def ecg(built: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The lake that was built, as the one that commands look into."""
    monkeypatch.setenv("VITALAKE_HOME", str(built.home))
    return built


def in_a_terminal(width: int, *args: str) -> str:
    """What a command writes to a terminal of this width."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": str(width), "TERM": "xterm", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "cli.main", *args]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux says so when the last writer is gone
                break
            if not piece:
                break
            said += piece
    os.close(ours)
    assert process.returncode == 0, said.decode()
    return re.sub(r"\x1b\[[0-9;]*m", "", said.decode())


def has_braille(text: str) -> bool:
    return any(0x2800 < ord(each) < 0x2900 for each in text)


@pytest.mark.usefixtures("ecg")
def test_a_pipe_gets_facts_words_and_the_table(vitalake: Vitalake) -> None:
    answer = vitalake("ecg", "show", TWELVE_LEADS)
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert lines[0] == TWELVE_LEADS
    assert lines[1] == "✓ acceptable (noted: baseline wander, mains hum, muscle noise)"
    assert lines[2].startswith(
        "wfdb · 12 leads · 500 Hz · 10 s · device demo-a · label 426783006 · started 2026-01-05 08:15"
    )
    [heading] = [line for line in lines if line.startswith("measure")]
    assert heading.split() == ["measure", "unit", "limits", *TWELVE]
    [muscle] = [line for line in lines if line.startswith("muscle_share")]
    values = re.findall(r"(?<= )([<\d]\S*)( !)?", muscle.partition("warns")[2])
    assert len(values) == 12
    assert [name for name, (_, sign) in zip(TWELVE, values, strict=True) if sign] == ["V3"]
    assert "Q08: > 0.2 warns" in muscle
    assert re.search(r"^amplitude_mv +mV ", answer.out, re.MULTILINE)
    assert not has_braille(answer.out)


def test_a_terminal_gets_curves_within_its_width_and_marks_on_the_beats(ecg: Settings) -> None:
    for width in (80, 130):
        lines = in_a_terminal(width, "ecg", "show", "rest_01.hea").splitlines()
        assert max(map(len, lines)) <= width
        assert sum(has_braille(line) for line in lines) >= (12 if width < 100 else 6) * 3
        for name in TWELVE:
            assert any(re.search(rf"(^| {{3}}){name}  \S", line) for line in lines), name
    one = in_a_terminal(100, "ecg", "show", "rest_01.hea", "--lead", "ii")
    with lake_connection(ecg) as connection:
        [(beats,)] = connection.execute("SELECT len(r_peaks) FROM ecg_signals WHERE lead_name = 'II'").fetchall()
    assert one.count("▾") == beats > 8


@pytest.mark.usefixtures("ecg")
def test_signals_that_are_no_ecg_are_named_with_the_reason(vitalake: Vitalake) -> None:
    lines = vitalake("ecg", "show", "worn.csv").out.splitlines()
    assert re.match(r"\S+ acceptable", lines[1])
    assert "not an ECG: acc_x (its label names motion)" in lines
    assert not any(line.startswith("not an ECG") for line in vitalake("ecg", "show", TWELVE_LEADS).out.splitlines())


def test_a_recording_is_found_by_any_of_its_keys_and_its_id(vitalake: Vitalake, ecg: Settings) -> None:
    with lake_connection(ecg) as connection:
        [item] = recording_queries.matching(connection, "rest_01.dat")
    for name in (TWELVE_LEADS, "rest_01.hea", "rest_01.dat", item.facts["recording_id"]):
        assert vitalake("ecg", "show", name).out.startswith(TWELVE_LEADS)
    several = vitalake("ecg", "show", ".mat")
    assert several.code == 2
    assert LONG in several.err
    assert BAD in several.err
    nothing = vitalake("ecg", "show", "nowhere.mat")
    assert nothing.code == 1
    assert "vitalake quarantine show" in nothing.err
    refused_one = vitalake("ecg", "show", "empty.mat")
    assert refused_one.code == 1
    assert "is in quarantine; see `vitalake quarantine show empty.mat`" in refused_one.err


def test_of_a_long_recording_a_part_is_shown(vitalake: Vitalake, ecg: Settings) -> None:
    noisy = vitalake("ecg", "show", LONG).out  # from 80 to 110 s: enough windows to make the lead marginal
    assert re.search(r"shown: (80|90|100) to (90|100|110) s of 180 s, its worst place", noisy)
    assert "shown: 20 to 30 s of 60 s, its worst place" in vitalake("ecg", "show", BAD).out
    assert "shown: 85 to 90 s of 180 s (" in vitalake("ecg", "show", LONG, "--from", "85", "--seconds", "5").out
    assert "shown: 175 to 180 s" in vitalake("ecg", "show", LONG, "--from", "175").out
    for options in (("--from", "180"), ("--from", "-1"), ("--seconds", "61")):
        assert vitalake("ecg", "show", LONG, *options).code == 2
    with lake_connection(ecg) as connection:
        [item] = recording_queries.matching(connection, BAD)
        whole = recording_queries.stretches(connection, item, [0], 0, 60)[0]
        part = recording_queries.stretches(connection, item, [0], 19, 2.5)[0]
    first, last = 19 * SAMPLING_RATE_HZ, round(21.5 * SAMPLING_RATE_HZ)
    assert part.samples == whole.samples[first:last]
    assert part.r_peaks == [at - first for at in whole.r_peaks if first <= at < last]
    assert whole.samples[BAD_PART] == [0.0] * (10 * SAMPLING_RATE_HZ)


@pytest.mark.usefixtures("ecg")
def test_leads_are_chosen_by_name(vitalake: Vitalake) -> None:
    answer = vitalake("ecg", "show", TWELVE_LEADS, "--lead", "v3", "--lead", "aVR")
    [heading] = [line for line in answer.out.splitlines() if line.startswith("measure")]
    assert heading.split()[3:] == ["aVR", "V3"]
    unknown = vitalake("ecg", "show", TWELVE_LEADS, "--lead", "V7")
    assert unknown.code == 2
    assert "V7" in unknown.err
    assert "aVF, V1" in " ".join(unknown.err.replace("│", " ").split())


@pytest.mark.usefixtures("ecg")
def test_a_page_is_written_as_png(vitalake: Vitalake, tmp_path: Path) -> None:
    page = tmp_path / "sheet.png"
    answer = vitalake("ecg", "show", TWELVE_LEADS, "--output", str(page))
    assert answer.code == 0, answer.err
    assert answer.out == f"12 of 12 leads drawn to {page}\n"
    assert struct.unpack(">4s2I", page.read_bytes()[12:24])[:2] == (b"IHDR", 1600)
    image = np.asarray(Image.open(io.BytesIO(page.read_bytes())).convert("RGB"), dtype=int)
    for colour in ((0x00, 0x72, 0xB2), (0xCC, 0x84, 0x00)):  # good leads, and V3
        assert (np.abs(image - colour).max(axis=-1) <= 12).sum() > 500
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ""] == ["sheet.png"]


def test_what_cannot_be_written_is_said_before_anything_is_asked(vitalake: Vitalake, tmp_path: Path) -> None:
    assert vitalake("ecg", "show", "a", "--output", str(tmp_path / "a.jpg")).code == 2
    assert vitalake("ecg", "show", "a", "--output", str(tmp_path / "no" / "a.png")).code == 2


def test_a_system_that_is_not_running_is_told_how_to_start(vitalake: Vitalake, home: Path) -> None:
    write_env(home / "env", {"VITALAKE_S3_ENDPOINT": "http://127.0.0.1:9"})
    answer = vitalake("ecg", "show", "a.mat")
    assert answer.code == 2
    assert "start it with: vitalake up" in answer.err


def test_braille_spans_its_height_and_keeps_every_spike() -> None:
    x = np.zeros(3600)
    x[1234] = 1.0
    lines = braille(x, 60, 4)
    assert [len(line) for line in lines] == [60] * 4
    assert [column for column, each in enumerate(lines[0]) if each != " "] == [1234 * 60 // 3600]
    assert " " not in lines[-1]


def test_braille_leaves_gaps_blank_and_draws_what_is_constant_or_short() -> None:
    x = np.sin(np.arange(3600) / 50)
    x[1800:] = np.nan
    assert all(line[31:].strip() == "" and line[:29].strip() for line in braille(x, 60, 2)[:1])
    assert braille(np.full(100, np.nan), 5, 2) == [" " * 5] * 2
    assert sum(line.strip() != "" for line in braille(np.full(100, 3.0), 5, 2)) == 1
    assert all(line.count(" ") == 0 for line in braille(np.array([0.0, 0.0]), 5, 1))


@given(
    st.lists(st.floats(-1e9, 1e9) | st.sampled_from([np.nan, np.inf, -np.inf]), max_size=80),
    st.integers(1, 40),
    st.integers(1, 9),
)
def test_braille_fits_its_box_whatever_the_values(values: list[float], columns: int, rows: int) -> None:
    lines = braille(np.array(values, dtype=np.float64), columns, rows)
    assert [len(line) for line in lines] == [columns] * rows
    assert has_braille("".join(lines)) == bool(np.isfinite(values).any())
