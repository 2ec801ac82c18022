"""What each rule of quarantine means, and what a person can do about it.

Belongs here: words for people. Does not belong here: the rules themselves (`vitalake/stages.py`,
`vitalake/ecg/structure.py`).
"""

from __future__ import annotations

from typing import NamedTuple


class Remedy(NamedTuple):
    """A rule in words."""

    meaning: str
    fix: str


_AGAIN = "Upload a whole file under the same key; it replaces this one."

REMEDIES: dict[str, Remedy] = {
    "S00": Remedy(
        "The object was deleted or replaced between being listed and being read.",
        "Nothing: the sensor builds the day again within a minute. To hurry it, retry.",
    ),
    "S01": Remedy(
        "The object is empty or larger than the dataset allows.",
        f"An empty file is most often an upload that broke off. {_AGAIN} Cut larger recordings into pieces.",
    ),
    "S02": Remedy(
        "The content cannot be read as a file of this format: another format, cut off, or damaged.",
        f"Compare the first bytes and the message with docs/formats.md. {_AGAIN}",
    ),
    "S03": Remedy(
        "The file holds no ECG: no signal is a voltage, or several variables could be the signal.",
        "MATLAB: save the signal as `val`, or as the only matrix. Other formats: state the unit of each lead.",
    ),
    "S04": Remedy(
        "The signal is no real, numeric matrix: text, cells, a structure or complex numbers.",
        "Save the samples as a plain numeric matrix.",
    ),
    "S05": Remedy(
        "No ECG has so many leads: neither side of the matrix can be the leads, or a file has too many.",
        "Save one row (or column) a lead, within the number of leads that the message names.",
    ),
    "S06": Remedy(
        "Too many samples of a lead are missing (NaN) or infinite.",
        "Nothing can restore them. Upload the recording without the gap, or leave it here.",
    ),
    "S07": Remedy(
        "The sampling rate is missing, no number, or outside of what an ECG can have.",
        "MATLAB: save the rate in Hz as `fs`. Text: add a column of times, or a line `# Sampling rate (Hz): 500`.",
    ),
    "S08": Remedy(
        "The recording is shorter than its header says, or than what can be judged.",
        f"Shorter than its header: an upload that broke off. {_AGAIN} A short recording cannot be used.",
    ),
    "S09": Remedy(
        "The file contradicts itself about what a stored unit is worth.",
        "Export the recording again; the message says which of its fields do not go together.",
    ),
    "S10": Remedy(
        "Values do not fit the types that samples are stored as without loss.",
        "Save the samples as integers of at most 32 bits, or as floating point numbers.",
    ),
    "S16": Remedy(
        "The recording has several objects, and some of them are not there yet.",
        "Upload what the message names into the same folder. It is read within seconds, and this row goes.",
    ),
}

UNKNOWN = Remedy(
    "This version of the program has no description of the rule.", "The message says what was expected."
)
