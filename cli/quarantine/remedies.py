"""What each rule of quarantine means, and what a person can do about it.

Belongs here: words for people. Does not belong here: the rules themselves (`vitalake/lake/reading.py`,
`vitalake/records/`, `vitalake/entities/`, `vitalake/ecg/structure.py`, and those that a dataset declares).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vitalake.lake.dataset import Dataset


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
        "The object is empty, or larger than the dataset allows.",
        f"An empty file is most often an upload that broke off. {_AGAIN} Cut what is larger into several files. "
        "SeaweedFS keeps nothing of what is put under a key that ends in a slash: leave the slash out.",
    ),
    "S02": Remedy(
        "The content cannot be read as a file of the dataset's format: another format, cut off, or damaged, or an "
        "object around the records.",
        "Look at the message, and at the first bytes where they are told. ECG: docs/formats.md says what is read. "
        "CSV and JSON: save the file as UTF-8, packed with gzip or not; JSON is an array of objects, an object, or "
        "an object on each line, without anything around them. "
        f"{_AGAIN}",
    ),
    "S03": Remedy(
        "The file holds no ECG: every signal is another one by unit, label or samples, or several may be it.",
        "MATLAB: save the signal as `val`, or as the only matrix. Other formats: name the lead, and give its unit.",
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
        "The sampling rate is missing, no number, told in two ways, or outside of what an ECG can have.",
        "MATLAB: save the rate in Hz as `fs`. Text: add a column of times, or a line `# Sampling rate (Hz): 500`. "
        "Or declare it for the device (docs/formats.md).",
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
    "S17": Remedy(
        "Nobody can be sure of the time that the object's key names: two dates, one that no calendar has, an hour "
        "from 24 on, or a form that is not read, such as day or month first.",
        "Upload it under a key with one date, e.g. `date=2026-11-20/`, and delete this one. docs/operations.md has "
        "the forms that are read.",
    ),
    "S18": Remedy(
        "The store lists the object and does not give it out: it is archived, encrypted with a key that is not "
        "open to this system, denied by a policy, or the store does not answer to its name.",
        "Do what the message names. The object stays the same by that, so no sensor sees it: read it again with "
        "`vitalake quarantine retry KEY`, or all of them with `vitalake quarantine retry --rule S18`. A backfill "
        "of the day does the same.",
    ),
    "X01": Remedy(
        "The reader itself broke on the object: a defect of this program, and no finding about the file.",
        "Leave the object where it is and report the defect, with the traceback that the log of the run has below "
        "the object's key. Once a program is installed that mends it, `vitalake quarantine retry --rule X01` reads "
        "the object again; so does any run of its day. Records that were read before it broke are in the tables.",
    ),
    "D01": Remedy(
        "The CSV file has no header as the dataset declares it: a column is missing, there twice, or new, or has a "
        "letter that only looks like the declared one.",
        "Write the header that the message names, spelt as there, separated by commas, semicolons, tabs or bars, "
        "or as the dataset declares. "
        f"{_AGAIN} A new column is declared in `vitalake/datasets/`, or listed there as ignored.",
    ),
    "D02": Remedy(
        "The record cannot be read: its JSON is broken or no object, it has bytes that are no text in its encoding "
        "(UTF-8, if none is declared), or a quote is not closed or has text behind it.",
        f"Mend the record where the message says. {_AGAIN} The other records of the file are in the tables.",
    ),
    "D03": Remedy(
        "The line has fewer or more fields than the header, a value below no name, or is the header again.",
        "A separator or a line break inside a value needs quotes around the value; of files put one behind the "
        f"other only the first keeps its header. {_AGAIN}",
    ),
    "D04": Remedy(
        "A field that every record must have is missing, null or blank.",
        f"Have the source fill in what the message names. {_AGAIN}",
    ),
    "D05": Remedy(
        "A value is not of its field's type: words for a number, a day that the calendar lacks, a decimal comma "
        "that is not declared, a local time that clocks skip or show twice, or a whole number from 2^53 on written "
        "with a fraction or an exponent.",
        "Numbers as 1234.5, days as 2026-11-20, times as 2026-11-20T08:30:00Z, or as the dataset declares them "
        f"(docs/new-dataset.md). {_AGAIN}",
    ),
    "D07": Remedy(
        "Nothing can be read from here on: the file is cut off, or a quote or bracket is never closed.",
        f"Most often an upload that broke off; else close what the message names. {_AGAIN} The records before it "
        "are in the tables.",
    ),
    "D08": Remedy(
        "A text of the key, by which rows are joined and replaced, begins or ends with white space or a character "
        "that nobody sees: a byte order mark, a zero-width or no-break space, a soft hyphen, a mark of direction. "
        "It would join nothing. Around a text that is no key these are taken away, in every dataset of records.",
        f"Have the source trim what the message names. {_AGAIN}",
    ),
    "D09": Remedy(
        "A key of the JSON record looks like a declared one and is another: it has a letter of another alphabet, a "
        "wide one, or a sign that looks alike. What is declared is not there.",
        f"Have the source spell the key as the message does; it names the odd character. {_AGAIN}",
    ),
    "E01": Remedy(
        "The export does not say from which system it is.",
        "Set `metadata.sourceSystem` and upload it under the same key. Or upload it with `vitalake upload "
        "--source`, which makes a folder that names the system, and delete this one.",
    ),
    "E02": Remedy(
        "The export is from a system that has no mapping.",
        "Correct the name, or say in `vitalake/entities/systems/NAME.json` where that system has each field, and "
        "retry.",
    ),
    "E03": Remedy(
        "The record has no usable id: none, or one that is no text and no whole number.",
        f"Have the source export the id. {_AGAIN}",
    ),
    "E04": Remedy(
        "The record has no usable name: none, a blank one, or one that is no text.",
        f"Have the source export the name. {_AGAIN}",
    ),
    "E05": Remedy(
        "Revenue or employees is no number, or a negative one.",
        f"Numbers as 1200000, 1,200,000 or 1.2e6; nothing (null) where it is not known. {_AGAIN}",
    ),
}

# Ids that never refuse; they stand in the column `warnings`.
NOTES = {
    "D06": "A JSON record has a field that the dataset does not declare. It is not kept; declare it to have it.",
}

UNKNOWN = Remedy(
    "This version of the program has no description of the rule.", "The message says what was expected."
)


def remedy(dataset: Dataset, rule: str, *, uploaded: bool = True) -> Remedy:
    """What a rule means in a dataset, which may have declared it itself; of a file `uploaded` already, or not."""
    found = _remedy(dataset, rule)
    return found if uploaded else Remedy(found.meaning, found.fix.replace(_AGAIN, "Then check it again."))


def _remedy(dataset: Dataset, rule: str) -> Remedy:
    for own in dataset.rules:
        if own.id == rule:
            fix = (
                f"Mend the record at its source. {_AGAIN} If the record is right, the rule is not: change it in "
                f"`vitalake/datasets/` and retry. It holds where: {own.holds}"
            )
            return Remedy(f"A record is refused where {own.message}.", fix)
    return REMEDIES.get(rule, UNKNOWN)
