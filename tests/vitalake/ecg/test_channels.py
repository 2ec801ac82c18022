"""Which channels are ECGs: what speaks for each side, and what a bad lead stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.vitalake.ecg.beating import RATE_HZ, lead_of
from tests.vitalake.ecg.matlab_files import v5_file
from tests.vitalake.ecg.readers.edf_files import Made, make_edf
from tests.vitalake.ecg.reading import read_objects, tables_of
from vitalake.ecg.channel_words import meaning_of
from vitalake.ecg.channels import channel_kinds
from vitalake.ecg.recording import Lead
from vitalake.ecg.tables import RECORDINGS, SIGNALS

SECONDS = 20
TIME = np.arange(SECONDS * round(RATE_HZ)) / RATE_HZ
HEART = lead_of(np.arange(0.4, SECONDS, 0.85), SECONDS)
NOISE = np.random.default_rng(2).normal(0, 100, len(TIME))
FLAT = np.zeros(len(TIME))
TRIGGER = 5.0 * (TIME % 2 < 0.02)


def channel(x: npt.ArrayLike, label: str = "", unit: str = "mV", rate_hz: float = RATE_HZ) -> Lead:
    samples = np.rint(np.asarray(x, np.float64)).astype(np.int32)
    gain = 1000.0 if unit == "mV" else 1.0
    return Lead("lead_2", samples, rate_hz, gain, 0.0, unit, label=meaning_of(label))


def ecg(label: str = "ECG") -> Lead:
    return channel(HEART.samples, label)


def beside_an_ecg(*others: Lead) -> list[bool]:
    first, *rest = channel_kinds([ecg(), *others])
    assert first.is_ecg
    return [kind.is_ecg for kind in rest]


@pytest.mark.parametrize("x", [FLAT, NOISE, TRIGGER, HEART.samples], ids=["flat", "noise", "steps", "beats"])
@pytest.mark.parametrize(
    "label", ["Marker", "STATUS", "Acc X", "SpO2", "Resp nasal", "EEG Fpz-Cz", "C3-A2", "Zähler"]
)
def test_a_label_of_another_signal_decides(label: str, x: npt.ArrayLike) -> None:
    assert beside_an_ecg(channel(x, label)) == [False]


@pytest.mark.parametrize("unit", ["mmHg", "%", "g", "m/s²", "°C", "Ohm", "bpm"])
def test_a_unit_of_another_quantity_decides(unit: str) -> None:
    assert beside_an_ecg(channel(HEART.samples, "II", unit), channel(HEART.samples, "", unit)) == [False, False]


@pytest.mark.parametrize("x", [FLAT, NOISE, TRIGGER, np.arange(len(TIME))], ids=["flat", "noise", "steps", "ramp"])
@pytest.mark.parametrize(
    "label", ["ECG II", "EKG", "V1", "aVF", "MLII", "Ableitung I", "V1-avg", "Einthoven", "DII"]
)
def test_a_lead_stays_one_whatever_it_records(label: str, x: npt.ArrayLike) -> None:
    assert beside_an_ecg(channel(x, label)) == [True]


def test_an_ecg_whose_unit_says_nothing_is_one_and_other_channels_are_not() -> None:
    assert beside_an_ecg(channel(HEART.samples, "ECG 2", "foo"), channel(NOISE, "", "foo")) == [True, False]


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.arange(len(TIME)), "counts in equal steps"),
        (np.arange(len(TIME)) % 256, "counts in equal steps"),
        (np.arange(len(TIME)) // 5 % 200, "counts in equal steps"),
        (TRIGGER, "moves in steps"),
        (TIME * 5 % 1 < 0.5, "moves in steps"),
        (np.repeat([0, 1, 2, 3, 2], len(TIME) // 5), "moves in steps"),
        (5 * np.sin(2 * np.pi * 0.27 * TIME), "swings slowly"),
        (5 * np.sin(2 * np.pi * 0.27 * TIME) + NOISE / 10_000, "swings slowly"),
    ],
    ids=["counter", "wrapping", "packets", "trigger", "square", "codes", "sine", "breath"],
)
@pytest.mark.parametrize("unit", ["mV", "adu"])
@pytest.mark.parametrize("beside", ["ECG", ""])
def test_without_a_label_samples_that_no_heart_makes_decide(
    x: npt.ArrayLike, words: str, unit: str, beside: str
) -> None:
    first, other = channel_kinds([ecg(beside), channel(200 * np.asarray(x, np.float64), "ch2", unit)])
    assert (first.is_ecg, other.is_ecg) == (True, False)
    assert words in other.reason


def test_standstill_without_a_label_is_a_lead_off_unless_others_are_called_leads() -> None:
    assert [kind.is_ecg for kind in channel_kinds([ecg(""), channel(FLAT)])] == [True, True]
    assert [kind.is_ecg for kind in channel_kinds([channel(FLAT)])] == [True]
    assert beside_an_ecg(channel(FLAT)) == [False]
    assert [kind.is_ecg for kind in channel_kinds([ecg(""), channel(FLAT, unit="adu")])] == [True, False]


@pytest.mark.parametrize(
    "x",
    [NOISE, HEART.samples + 5000 * np.sin(2 * np.pi * 0.2 * TIME), np.clip(8 * HEART.samples, -900, 900)],
    ids=["noise", "wander", "saturated"],
)
def test_what_may_be_a_bad_lead_is_judged_as_one(x: npt.ArrayLike) -> None:
    assert beside_an_ecg(channel(x), channel(x, "ch2", "adu")) == [True, True]


def test_a_place_is_of_a_heart_alone_and_of_something_else_beside_an_ecg() -> None:
    assert [kind.is_ecg for kind in channel_kinds([channel(NOISE, "Abdomen_1"), ecg("Abdomen_2")])] == [True, True]
    assert beside_an_ecg(channel(NOISE, "Abdomen"), channel(NOISE, "O2"), channel(FLAT, "I1")) == [False] * 3


def test_what_is_called_a_lead_of_a_place_is_a_lead() -> None:
    labels = ["Chest lead", "chest V1", "Brustwand V2", "Brustwandableitung", "ECG (L)"]
    assert beside_an_ecg(*(channel(NOISE, label) for label in labels)) == [True] * len(labels)


def test_what_is_numbered_is_told_by_its_neighbours() -> None:
    chest = channel_kinds([channel(FLAT, f"C{number}") for number in range(1, 7)])
    assert all(kind.is_ecg for kind in chest)
    assert beside_an_ecg(channel(NOISE, "C3"), channel(NOISE, "C4")) == [False, False]
    limbs = channel_kinds([channel(FLAT, label) for label in ("D1", "D2", "D3", "aVR", "aVL", "aVF")])
    assert all(kind.reason == "its label names an ECG" for kind in limbs)


def test_three_axes_beside_an_ecg_are_motion_unless_they_are_voltages() -> None:
    assert beside_an_ecg(*(channel(NOISE, label, "adu") for label in "xyz")) == [False] * 3
    assert beside_an_ecg(*(channel(NOISE, label) for label in "XYZ")) == [True] * 3
    assert beside_an_ecg(channel(NOISE, "x", "adu")) == [True]


def test_an_ecg_and_another_signal_in_one_label() -> None:
    assert beside_an_ecg(channel(NOISE, "ECG quality")) == [False]
    alone = [channel(x, "ECG event") for x in (HEART.samples, TRIGGER, FLAT)]
    assert [channel_kinds([each])[0].is_ecg for each in alone] == [True, False, False]


def test_a_slow_channel_is_no_ecg_beside_one() -> None:
    assert beside_an_ecg(channel(NOISE, "", rate_hz=4), channel(NOISE, "ECG", rate_hz=25)) == [False, True]


def test_missing_samples_are_no_evidence() -> None:
    gone = np.ones(len(TIME), np.bool_)
    lead = channel(TRIGGER)
    nothing = Lead("lead_2", lead.samples, RATE_HZ, 1000.0, 0.0, "mV", missing=gone)
    assert channel_kinds([nothing])[0].is_ecg
    with_nan = Lead("lead_2", np.where(TIME < 5, np.nan, NOISE), RATE_HZ, 1.0, 0.0, "mV")
    assert channel_kinds([with_nan])[0].is_ecg


def text_of(header: str, *columns: npt.ArrayLike) -> bytes:
    rows = zip(TIME, *(np.asarray(column, np.float64) for column in columns), strict=True)
    lines = [f"{time:.4f}," + ",".join(f"{value:g}" for value in values) for time, *values in rows]
    return "\n".join([header, *lines, ""]).encode()


def test_other_signals_are_kept_and_judged_by_nobody() -> None:
    table = text_of("time (s),ECG (mV),acc_x,marker", HEART.values(), np.sin(TIME), FLAT)
    tables = tables_of(read_objects({"ecg/a.csv": table}))
    (recording,) = tables[RECORDINGS.name].to_pylist()
    assert (recording["verdict"], recording["lead_count"], recording["ecg_lead_count"]) == ("acceptable", 3, 1)
    assert recording["warnings"] == []
    signals = tables[SIGNALS.name].to_pylist()
    assert [(row["lead_name"], row["signal_kind"], row["verdict"]) for row in signals] == [
        ("ECG", "ecg", "acceptable"),
        ("acc_x", "other", None),
        ("marker", "other", None),
    ]
    assert [row["kind_reason"] for row in signals[1:]] == ["its label names motion", "its label names a marker"]
    assert len(signals[2]["samples"]) == len(TIME)
    assert (signals[2]["r_peaks"], signals[2]["window_count"]) == (None, 0)


@pytest.mark.parametrize(
    ("label", "unit", "physical", "name"),
    [
        ("Marker", "", ("-1", "1"), "Marker"),
        ("Status", "", ("-1", "1"), "Status"),
        ("Marker", "uV", ("0", "0"), "Marker"),
        ("SNORE", "mV", ("-5", "5"), "SNORE"),
        ("Jane Doe pulse", "mV", ("-5", "5"), "signal_2"),
    ],
)
def test_in_edf_too(label: str, unit: str, physical: tuple[str, str], name: str) -> None:
    heart = np.clip(2 * HEART.samples, -2000, 2000).reshape(SECONDS, -1)
    data = make_edf(
        Made(heart, "ECG", "mV", ("-1", "1")), Made(np.zeros_like(heart), label, unit, physical), record_s="1"
    )
    tables = tables_of(read_objects({"ecg/a.edf": data}))
    assert tables[RECORDINGS.name].column("verdict").to_pylist() == ["acceptable"]
    assert tables[SIGNALS.name].column("lead_name").to_pylist() == ["ECG", name]
    assert tables[SIGNALS.name].column("verdict").to_pylist() == ["acceptable", None]


def test_a_row_of_a_matrix_may_be_a_trigger() -> None:
    data = v5_file(val=np.stack([HEART.samples, TRIGGER.astype(np.int32)]), fs=RATE_HZ)
    tables = tables_of(read_objects({"ecg/a.mat": data}))
    assert tables[SIGNALS.name].column("signal_kind").to_pylist() == ["ecg", "other"]
    assert tables[SIGNALS.name].column("lead_name").to_pylist() == ["lead_1", "signal_2"]


@pytest.mark.parametrize(
    ("head", "kept"),
    [("ch2 (m/s²)", "m/s2"), ("ch2 [°C]", "degC"), ("ch2 (%)", "%"), ("ch2 (g)", "g"), ("SpO2 [%]", "%")],
)
def test_a_unit_in_the_head_of_a_column(head: str, kept: str) -> None:
    table = text_of(f"time (s),ECG (mV),{head}", HEART.values(), NOISE)
    tables = tables_of(read_objects({"ecg/a.csv": table}))
    assert tables[SIGNALS.name].column("unit").to_pylist() == ["mV", kept]
    assert tables[RECORDINGS.name].column("verdict").to_pylist() == ["acceptable"]


def test_a_recording_without_an_ecg_is_refused_with_what_it_holds() -> None:
    (refusal,) = read_objects({"ecg/a.csv": text_of("time (s),acc_x,ch2", NOISE, TRIGGER)}).refusals
    assert refusal.rule == "S03"
    assert refusal.message.startswith(
        "none of 2 signals is an ECG: 1 as its label names motion; 1 as it moves in steps"
    )


@pytest.mark.data
def test_no_real_lead_is_called_other(data_dir: Path) -> None:
    for path in sorted((data_dir / "cinc2011").glob("*.npz")):
        with np.load(path) as archive:
            names = [str(name) for name in archive["leads"]]
            for signal in archive["signal"]:
                for label in (names, [""] * len(names)):
                    leads = [
                        Lead(name, x.astype(np.int32), 500.0, 200.0, 0.0, "mV", label=meaning_of(name))
                        for name, x in zip(label, signal.T, strict=True)
                    ]
                    assert all(kind.is_ecg for kind in channel_kinds(leads))
