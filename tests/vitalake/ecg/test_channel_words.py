"""What labels say, in the spellings and languages of recorders."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitalake.ecg.channel_words import NO_LABEL, OTHER_KINDS, meaning_of


@pytest.mark.parametrize(
    "label",
    [
        "ECG",
        "ECG I",
        "ekg1",
        "ECGII",
        "EKG-R",
        "ECG1-ECG2",
        "ECG lead II (mV)",
        "Einthoven",
        "MDC_ECG_LEAD_II",
        "fECG",
    ],
)
def test_words_for_the_ecg(label: str) -> None:
    assert meaning_of(label).ecg
    assert meaning_of(label).other is None


@pytest.mark.parametrize(
    "label",
    [
        *("I", "II", "III", "aVR", "-aVR", "AVF", "V1", "V3R", "V9", "MLII", "ML-II", "MCL1", "CM5", "vx", "DII"),
        *(
            "Lead II",
            "leadII",
            "lead II [mV]",
            "V1-avg",
            "mod.V1",
            "II (filtered)",
            "Ableitung aVL",
            "Derivation V2",
        ),
        *("LA-RA", "Vx-RL", "E-S", "Lead X", "aVR, augmented voltage, right"),
    ],
)
def test_names_of_leads(label: str) -> None:
    assert meaning_of(label).lead
    assert meaning_of(label).other is None


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        ("a marker", "Marker|event|TRIGGER 1|Zeitmarke|EDF Annotations|button|Ereignis|Pacemaker"),
        ("a status", "Status|battery|Signal quality|Lead-off status|Alarm"),
        ("a counter", "nSeq|Sample Index|counter|Zähler|Packet Counter"),
        ("a digital line", "Digital In 1|DIN|gpio|I1|O2"),
        ("motion", "acc_x|AccX|ACCZ|Accel Channel 0|Beschleunigung X|gyro.y|Body position|Accéléromètre"),
        ("breathing", "RESP|Resp. Flow|Airflow|SNORE|Atmung|Respiración|Nasal"),
        ("a pulse wave", "PPG|Pleth|BVP|LED1 red|Puls"),
        ("oxygen or carbon dioxide", "SpO2|SaO2|EtCO2|Sättigung"),
        ("a temperature", "Temp|Température|TEMP rect|Hauttemperatur skin temp"),
        ("brain, eye or muscle", "EEG Fpz-Cz|C3-A2|Fp1|EOG(L)|EMG chin|F4:M1"),
        ("a rate or interval", "HR|heart rate|Herzfrequenz|RR|pulse rate"),
        ("a pressure", "ABP|ART|NIBP|Druck|pressure"),
        ("skin conductance", "EDA|GSR"),
        ("a calibration", "II-cal"),
    ],
)
def test_other_signals(kind: str, labels: str) -> None:
    for label in labels.split("|"):
        found = meaning_of(label).other
        assert found == kind or (label == "Zeitmarke" and found == "a time"), label


@pytest.mark.parametrize("label", ["", " ", "A1x", "CH1", "signal_1", "channel 2", "sig 5, fmt 212", "val", "x y"])
def test_labels_that_say_nothing(label: str) -> None:
    assert meaning_of(label) == NO_LABEL


@given(st.text(max_size=40))
def test_nothing_of_a_label_but_closed_words_is_handed_over(label: str) -> None:
    found = meaning_of(label)
    assert found.other is None or found.other in {*OTHER_KINDS, "a calibration"}
    assert len(found.code) <= 3
