"""Text of a file that is carried on: names of leads, models of devices, and what identifies a subject.

Anybody can write anything into these fields, a patient's name above a column of numbers too, and what passes here
is seen in tables, charts and alerts.

Belongs here: what may pass, for the readers of all formats. Does not belong here: where a format keeps its names,
what its standard says of codes, or how an identifier becomes a pseudonym.
"""

from __future__ import annotations

import re

MAX_NAME, MAX_MODEL = 24, 60  # characters
MAX_DIGITS = 4  # in one name: "sig 5, fmt 212", but no date of birth

# Words that name signals, by lower case. Frank's and Nehb's leads are not among them: these are names of people,
# and the formats that have such leads write them as codes.
_LEADS = (
    "i ii iii v r l x y z vx vy vz av avr avl avf ml mli mlii mliii mlv mcl mod cm cs cc cb la ra ll rl es as ai "
    "e-s a-s a-i "
    "limb chest precordial unipolar bipolar augmented auxiliary voltage vector left right arm leg foot hand finger "
    "wrist thorax thoracic abdomen abdominal nasal oral chin sum"
)
_KINDS = (
    "ecg ekg fecg vcg eeg eog emg erg icg pcg bcg scg ppg gsr eda bvp acc gyro temp pleth pulse spo sao so etco co "
    "abp art aobp nbp nibp ibp bp cvp pap icp uap uvp lap rap uc fhr resp respiration impedance imp flow airflow "
    "pressure heart rate hr rr rhythm beat noise exg accel acceleration accelerometer gyroscope magnetometer "
    "temperature humidity light brightness skin conductance movement motion snore position"
)
# Of other sensors, and of what recorders write beside signals; words that are names of people too are left out.
_OTHERS = (
    "status quality contact battery alarm counter index sequence digital input output analog trig marker markers "
    "trigger triggers accel acceleration accelerometer gyroscope magnetometer motion movement activity position "
    "posture acc accx accy accz axis breathing respiratory effort nasal snore snoring saturation temperature skin "
    "conductance humidity ambient actigraphy plethysmogram photoplethysmogram atmung temperatur zeit"
)
_EEG_ELECTRODES = "fp fz cz pz oz af fc ft cp tp po"  # of the 10-20 system
_COLUMNS = (
    "lead leads ch channel chan sig signal col column fmt record rec value val data sample samples adc amplitude "
    "annotation annotations marker markers event events trigger status state flag quality button switch sync "
    "battery digital analog input output aux counter index other time raw filtered filt clean cal calibration "
    "derived unknown waveform wave count counts "
    "ableitung kanal mv uv nv adu mdc elec potl"
)
_WORDS = frozenset(" ".join((_LEADS, _KINDS, _OTHERS, _EEG_ELECTRODES, _COLUMNS)).split())
_ALLOWED = re.compile(rf"[A-Za-z0-9+\-_./(), ]{{1,{MAX_NAME}}}")
_PART = re.compile(r"\b[EA]-[SI]\b|(?<![A-Za-z])[A-Za-z][0-9]{1,2}(?![0-9])|[A-Za-z]+|[0-9]+")
_HUMP = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# A single letter, or an abbreviation: a word in capitals needs a vowel before somebody can be called so.
_CODE = re.compile(r"[A-Za-z]|[BCDFGHJKLMNPQRSTVWXZ]{2,5}")

# What forms are filled with where nobody is named, by lower case.
_FILLERS = (
    "anon anonym anonyme anonymous anonymized anonymised deidentified unknown unbekannt inconnu unnamed undefined "
    "unspecified missing none null nil nan na nn noname noid test dummy default empty blank "
    "patient subject person name id no not available known given male female m f dd mmm yyyy"
)
_NOBODY = frozenset(_FILLERS.split())
_WORD = re.compile(r"[^\W_]+")


def lead_name(text: str, number: int) -> str:
    """The name as spelled, without blanks around it, if it is one of a signal; else ``lead_<number>``, from 1.

    It is one where it has at most 24 characters and 4 digits, of ASCII letters, digits, ``+-_./(),`` and blanks,
    and every word in it is known, e.g. "MLII", "V3R", "ECG 1", "sig 0, fmt 8". One letter, or one abbreviation of
    2 to 5 capitals without vowels, may be unknown. So people's names, their dates and their numbers do not pass.
    """
    name = text.strip(" ")
    return name if _is_signal(name) else f"lead_{number}"


def device_model(text: str | None) -> str | None:
    """The text without control characters, with single blanks, cut after 60 characters; None where nothing is left.

    Names of manufacturers and models are as many as there are devices: they are kept as they are.
    """
    printable = "".join(each for each in text or "" if each.isprintable() or each.isspace())
    return " ".join(printable.split())[:MAX_MODEL].strip() or None


def subject_identifier(text: str | None) -> str | None:
    """The text without blanks around it; None where it identifies nobody, as "", "000", "X" or "Anonymous" do.

    Recordings of different people would else become those of one.
    """
    identifier = (text or "").strip()
    words = _WORD.findall(identifier.casefold())
    if "".join(words) in _NOBODY or all(word in _NOBODY or not word.strip("0x") for word in words):
        return None
    return identifier


def _is_signal(name: str) -> bool:
    parts = _PART.findall(name) if _ALLOWED.fullmatch(name) else []
    words = [word for part in parts for word in _words(part)]
    unknown = [word for word in words if word.lower() not in _WORDS]
    return (
        bool(parts)
        and sum(map(str.isdigit, name)) <= MAX_DIGITS
        and all(len(part) < MAX_DIGITS for part in parts if part.isdigit())
        and len(unknown) <= 1
        and all(_CODE.fullmatch(word) for word in unknown)
    )


def _words(part: str) -> list[str]:
    """What has to be known of a part: nothing of "C3" or "12", and of "LeadII" its two words."""
    if part[-1].isdigit():
        return []
    return [part] if part.lower() in _WORDS or _CODE.fullmatch(part) else _HUMP.findall(part)
