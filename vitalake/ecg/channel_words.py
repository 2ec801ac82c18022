"""Words in the labels of channels, by the kind of signal that they name, in the languages that recorders speak.

Belongs here: one table, and what a label says by it. Does not belong here: what follows for a channel
(`channels.py`), or which labels may be shown (`readers/names.py`).
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import NamedTuple

# Kind of signal, as a reason says it -> words that name it, without accents and in lower case. One that ends in *
# is the beginning of a word.
OTHER_KINDS = {
    "a marker": (
        "marker* mark marke markierung* marque* marcador* trigger* trig ttl event events evt ereignis* "
        "evenement* evento* stim stimulus stimuli stimulation sync synchro* button taste knopf bouton boton "
        "bookmark annotation* annot flag flags tag pushbutton pace pacer pacemaker"
    ),
    "a status": (
        "status state zustand etat estado stato quality qualitat qualite calidad sqi leadoff contact kontakt "
        "valid validity error err alarm alarme alarma battery batt bat batterie bateria akku"
    ),
    "a counter": (
        "counter* count counts cnt zahler* zaehler* compteur* contador* index idx seq sequence nseq packet "
        "package frame lfd"
    ),
    "a time": "time* zeit* temps tiempo hora uhrzeit elapsed clock utc",
    "a digital line": "digital* din dout dio gpio",
    "motion": (
        "acc accx accy accz accel* acel* axel* beschl* gyr* mag magx magy magz magnet* motion movement* "
        "bewegung* mouvement* movimiento* activity aktivitat activite actividad actigraph* actimetr* act imu "
        "position* pos bodypos bodyposition posture lage* korperlage korperposition orientation tilt neigung "
        "steps schritte angle roll pitch yaw quat* gravity gx gy gz ax ay az"
    ),
    "breathing": (
        "resp respi* breath* atmung atem* atmungs* airflow flow fluss debit flujo nasal oronasal effort belt "
        "rip ripsum snore* snoring schnarch* ronfl* ronquido* cannula pneumo* tidal ventilation thermistor "
        "cpap"
    ),
    "a pressure": (
        "pressure druck pression presion pres abp* art aobp nbp nibp ibp bp cvp* pap* icp uap uvp lap rap uc"
    ),
    "a rate or interval": (
        "hr rate hrv rr rri ibi bpm herzfrequenz herzrate pulsfrequenz frequenz frequence rpeak rpeaks fhr bcpm"
    ),
    "a pulse wave": "ppg pleth* puls* pouls bvp photo* infrared ir red green led",
    "oxygen or carbon dioxide": "spo sao oxim* oxygen saturation sattigung sat etco co capno*",
    "a temperature": "temp temper* tskin tcore thermo*",
    "brain, eye or muscle": "eeg* emg* eog* erg ecog ieeg seeg nirs meg loc roc masseter tibialis plm",
    "skin conductance": "eda gsr scr scl conductance leitwert",
    "sound, light or surroundings": (
        "mic microphone mikrofon audio sound phono* pcg light licht lux ambient humidity volume"
    ),
    "an unused input": "unused reserved spare dummy unconnected other others ref reference gnd ground",
    "another sensor": (
        "bcg scg icg impedance imp dz weight gewicht gps speed power watt cadence distance altitude latitude "
        "longitude"
    ),
}

# Where electrodes, bands and belts may be, and inputs for anything: beside an ECG they are those of breathing and
# muscles, alone of a heart.
PLACES = (
    "chest thorax thoracic thorac tho thor abdo* abd brust bauch ventre leg arm chin kinn bein beat "
    "aux auxiliary dc"
)
# So are electrodes of the 10-20 system: C1 to C6 are chest leads as well.
_ELECTRODE = re.compile(r"fp[12z]|af[z3478]|[fcpto][z3-8]|o[12z]|[am][12]")
_MONTAGE = re.compile(rf"(?:{_ELECTRODE.pattern})[-:/ ]?(?:{_ELECTRODE.pattern}|ref|avg|le|a1a2|m1m2)")
_MIDLINE = re.compile(r"fp[12z]|[fcpo]z")
_LINE = re.compile(r"[io][1-8]")  # what OpenSignals calls its digital inputs and outputs; O1 and O2: an EEG

ECG_WORDS = "ecg* ekg* fecg vcg electrocardio* elektrokardio* einthoven goldberger wilson nehb frank"
_NAMES_A_LEAD = frozenset(("lead", "leads", "ableitung", "derivation", "derivacion", "derivazione"))
# What may stand beside the name of a lead: "Lead II", "Ableitung I", "V1-avg", "II (filtered)", "lead II [mV]".
_BESIDE_LEADS = frozenset(
    (
        *("lead", "leads", "abl", "ableitung", "derivation", "derivacion", "derivazione", "limb", "ch", "channel"),
        *(
            "kanal",
            "canal",
            "sig",
            "signal",
            "mod",
            "modified",
            "filtered",
            "filt",
            "raw",
            "clean",
            "avg",
            "average",
        ),
        *("mean", "mv", "uv", "nv", "volt", "v", "calibrated", "derived", "augmented", "unipolar", "bipolar"),
        *("voltage", "left", "right", "foot", "d", "chest", "precordial", "brustwand", "standard"),
    )
)
_LEAD = re.compile(
    r"[-+]?(?:i{1,3}|av[rlf]|v[1-9]r?|v[xyz]?|ml-?i{1,3}|mlv[1-6]|mcl[1-6]?|c[msb][1-6]|cc[56]|di{1,3}|la|ra|ll|rl|"
    r"e-?s|a-?[si])"
)
_SPELT_TOGETHER = re.compile(r"\b(?:lead|abl|ableitung|ch)(?=(?:i{1,3}|av[rlf]|v[1-9]r?)\b)")
_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# Leads by number, which are electrodes or digital lines elsewhere, what shows that they are leads, and axes.
_CODE = re.compile(r"c[1-6]|d[123]|av[rlf]|v1|[xyz]")


class LabelMeaning(NamedTuple):
    """What a label says of its channel, and nothing of how it is spelled: anybody can write anything into it.

    Args:
        ecg: it has a word for the ECG in it, as "EKG 1" has.
        lead: it is the name of a lead, as "Lead II" and "V1-avg" are.
        other: the kind of signal that it names and that is no ECG, e.g. "a marker".
        place: it names a place of the body, an electrode or an input, which may carry an ECG or anything else.
        code: in lower case, where it is one of C1 to C6, D1 to D3, aVR, aVL, aVF, V1, X, Y and Z.
    """

    ecg: bool = False
    lead: bool = False
    other: str | None = None
    place: bool = False
    code: str = ""


NO_LABEL = LabelMeaning()


def meaning_of(label: str) -> LabelMeaning:
    """What a label says; of one that says nothing, an empty meaning."""
    code = label.strip().lower()
    return LabelMeaning(
        names_ecg(label),
        names_lead(label),
        other_kind(label),
        names_place(label),
        code if _CODE.fullmatch(code) else "",
    )


def words_of(label: str) -> set[str]:
    """Words of a label, without accents and digits, in lower case: acc and temperature of "accX_Température1"."""
    plain = _plain(label)
    return {word for text in (plain, _HUMPS.sub(" ", plain)) for word in re.findall("[a-z]+", text.lower())}


def other_kind(label: str) -> str | None:
    """What signal a label names that is no ECG, e.g. "a marker"; None where it names none."""
    words = words_of(label)
    named = next((kind for kind, table in OTHER_KINDS.items() if _matches(words, table)), None)
    text = _plain(label).lower().strip()
    if named is None and (_MONTAGE.fullmatch(text) or _MIDLINE.fullmatch(text)):
        return "brain, eye or muscle"
    if named is None and _LINE.fullmatch(text):
        return "a digital line"
    return "a calibration" if named is None and text.endswith("-cal") else named


def names_ecg(label: str) -> bool:
    """Whether a label has a word for the ECG in it, as "EKG 1" has."""
    return _matches(words_of(label), ECG_WORDS)


def names_lead(label: str) -> bool:
    """Whether a label is the name of a lead, as "Lead II", "V1-avg" and "Ableitung aVR [mV]" are."""
    text = _SPELT_TOGETHER.sub("", _plain(label).lower())
    pieces = [piece for piece in re.split(r"[\s_.,;:/()\[\]{}]+", text) if piece and piece not in _BESIDE_LEADS]
    parts = [part for piece in pieces for part in ([piece] if _LEAD.fullmatch(piece) else piece.split("-"))]
    named = [part for part in parts if part not in _BESIDE_LEADS]
    frank = "lead" in text and named and named[0] in ("x", "y", "z")
    return bool(named) and (len(named) == 1 if frank else all(map(_LEAD.fullmatch, named)))


def names_place(label: str) -> bool:
    """Whether a label names a place of the body, an electrode or an input, which may carry an ECG or not."""
    text, words = _plain(label).lower().strip(), words_of(label)
    if words & _NAMES_A_LEAD:
        return False
    return _matches(words, PLACES) or bool(_ELECTRODE.fullmatch(text))


def _plain(text: str) -> str:
    """Without accents, so that "Zähler" is "Zahler"."""
    return "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))


def _matches(words: set[str], table: str) -> bool:
    whole, begun = _parsed(table)
    return not whole.isdisjoint(words) or any(word.startswith(begun) for word in words)


@cache
def _parsed(table: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """Whole words of a table, and beginnings of words."""
    entries = table.split()
    begun = tuple(entry[:-1] for entry in entries if entry.endswith("*"))
    return frozenset(entries) - {f"{each}*" for each in begun}, begun
