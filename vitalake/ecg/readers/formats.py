"""Which formats are read, and from objects that belong together to recordings.

Belongs here: the choice of a reader by content, and the account of which object went where. Does not belong here:
any layout (`readers/`), or whether a recording can be used (`vitalake/ecg/structure.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType

from vitalake.ecg.devices import UNDECLARED, Device
from vitalake.ecg.readers import ishne
from vitalake.ecg.readers.aecg import reader as aecg
from vitalake.ecg.readers.dicom import reader as dicom
from vitalake.ecg.readers.edf import reader as edf
from vitalake.ecg.readers.matlab import reader as matlab_signal
from vitalake.ecg.readers.scp import reader as scp
from vitalake.ecg.readers.text import reader as text
from vitalake.ecg.readers.wfdb import reader as wfdb
from vitalake.ecg.readers.wfdb.names import HEADER_SUFFIX
from vitalake.ecg.recording import Recording
from vitalake.errors import UnusableDataError
from vitalake.lake.checks import WAITING
from vitalake.lake.contents import RawObject, Refusal

# All samples of a recording together: 24 h of one lead at 360 Hz, 128 MB as integers.
MAX_SAMPLES = 2**25

# Tried in this order. MATLAB v4 has no signature, only a plausible header, and text is what nothing else claims.
_SIGNED: tuple[ModuleType, ...] = (edf, dicom, ishne, scp, aecg)
_TOLD = 10  # files that a recording waits for
_READERS: tuple[ModuleType, ...] = (*_SIGNED, matlab_signal, text)

# Files without a signature that mean nothing before their header is there.
_HEADED = (".dat", ".atr", ".qrs")

# How the name of a file goes on behind that of its header: 100.dat, 100_1.dat, 100_layout.hea. A header may call
# its files anything, so no other name is repeated.
_GOES_ON = re.compile(r"(?:[_-]?[0-9]{0,4}|_layout)\.(?:hea|dat|mat)", re.ASCII)


@dataclass(frozen=True)
class FoundRecording:
    """A recording and the objects it came in: the one that names it, and those that belong to it."""

    main: RawObject
    recording: Recording
    companions: tuple[RawObject, ...] = ()


def read_together(
    objects: Sequence[RawObject],
    accept: Callable[[Recording, str], Recording],
    device_of: Callable[[str], Device] = lambda _: UNDECLARED,
) -> tuple[list[FoundRecording], list[Refusal]]:
    """Every recording in objects that belong together, and a refusal for each object that is in none.

    Usually one object, of whatever format its content shows. Several are a WFDB header and what lies with it; a
    header may be a segment of another's record, and two may share a signal file. What no header names (annotations)
    comes along with the first recording, unless it is a recording itself.

    Args:
        objects: as they lie in one folder.
        accept: completes the recording of an object with this key, or raises `UnusableDataError` where it cannot be
            used.
        device_of: what is declared of the device that an object of a key comes from.
    """
    by_name = {item.key.rpartition("/")[2]: item for item in objects}
    headers = {name: item for name, item in by_name.items() if wfdb.is_header(name, item.data)}
    unread = {
        name: reason
        for name, item in by_name.items()
        if name not in headers and (reason := _why_no_header(name, item.data)) is not None
    }
    needs = {name: _needed(item.data) for name, item in headers.items()}
    segments = {other for names in needs.values() for other in names}
    contents = {name: item.data for name, item in by_name.items()}
    found: list[FoundRecording] = []
    refusals: dict[str, Refusal] = {}
    for name, item in headers.items():
        if name in segments:
            continue
        used = tuple(by_name[other] for other in _reach(name, needs) if other in by_name)
        try:
            rate_hz = device_of(item.key).sampling_rate_hz
            read = wfdb.read(name, contents, max_samples=MAX_SAMPLES, declared_rate_hz=rate_hz)
            if isinstance(read, wfdb.Incomplete):
                raise _waits(objects, name, read.missing)
            found.append(FoundRecording(item, accept(read, item.key), used))
        except UnusableDataError as error:
            refusals |= {each.key: Refusal(each.key, error.rule, error.message) for each in (item, *used)}
    companions = []
    for name, item in by_name.items():
        if item.key in refusals or any(item in (each.main, *each.companions) for each in found):
            continue
        if headers and not _speaks_for_itself(name, item.data):
            companions.append(item)
            continue
        try:
            recording = _read_alone(name, item, unread, device_of(item.key))
            found.append(FoundRecording(item, accept(recording, item.key)))
        except UnusableDataError as error:
            refusals[item.key] = Refusal(item.key, error.rule, error.message)
    if found:
        found[0] = replace(found[0], companions=(*found[0].companions, *companions))
    elif companions:
        why = next(iter(refusals.values()))  # no header came to a recording, so each has said why
        refusals |= {item.key: Refusal(item.key, why.rule, why.message) for item in companions}
    used_keys = {item.key for each in found for item in (each.main, *each.companions)}
    return found, [refusal for key, refusal in refusals.items() if key not in used_keys]


def read_one(data: bytes, device: Device = UNDECLARED) -> Recording:
    """The recording in the bytes of one object, which comes from that device.

    Raises:
        UnusableDataError: S02 where no format recognises them, else whatever the format's reader finds.
    """
    if not data:
        raise UnusableDataError("S01", "the object is empty (0 bytes)")
    for reader in _READERS:
        if reader is text and text.recognises(data):
            return text.read(data, max_samples=MAX_SAMPLES, device=device)
        if reader.recognises(data):
            recording: Recording = reader.read(data, max_samples=MAX_SAMPLES)
            return recording
    raise UnusableDataError("S02", _why_not(data))


def _read_alone(name: str, item: RawObject, unread: Mapping[str, str], device: Device) -> Recording:
    """The recording in one object; `unread` are the headers of its folder that are none, and why."""
    if name in unread and item.data:
        raise UnusableDataError("S02", f"called as a WFDB header, and none that can be read: {unread[name]}")
    if name.lower().endswith(_HEADED) and not any(reader.recognises(item.data) for reader in (*_SIGNED, text)):
        header = f"{name[:-4]}.hea"
        if header in unread:
            raise UnusableDataError("S02", f"its WFDB header, '{header}', cannot be read: {unread[header]}")
        raise _waits([item], name, (header,))
    return read_one(item.data, device)


def _why_no_header(name: str, data: bytes) -> str | None:
    """Why a file that is called as a header cannot be read; None where it can, or is something else altogether."""
    if not name.endswith(HEADER_SUFFIX) or any(each.recognises(data) for each in _READERS):
        return None
    if not data:
        return "it is empty (0 bytes)"
    try:
        wfdb.needed(data)
    except UnusableDataError as error:
        return error.message
    return None


def _speaks_for_itself(name: str, data: bytes) -> bool:
    """Whether a file beside a header is none of its companions: a recording itself, or a header in name only."""
    if name.lower().endswith(".hea"):
        return True
    return any(reader.recognises(data) for reader in (*_SIGNED, text)) or (
        name.lower().endswith(".mat") and matlab_signal.recognises(data)
    )


def _needed(header: bytes) -> tuple[str, ...]:
    try:
        return wfdb.needed(header)
    except UnusableDataError:
        return ()  # reading it says why


def _reach(name: str, needs: Mapping[str, Collection[str]]) -> list[str]:
    """Every file that a header needs, those of its segments included, in order."""
    reached: dict[str, None] = {}
    ahead = list(needs[name])
    while ahead:
        other = ahead.pop(0)
        if other not in reached and other != name:
            reached[other] = None
            ahead += needs.get(other, ())
    return list(reached)


def _waits(objects: Sequence[RawObject], name: str, missing: Sequence[str]) -> UnusableDataError:
    """What a recording waits for; named are files that are called as `name`, which the key tells anyway."""
    since = min(item.uploaded_at for item in objects)
    stem = name.rpartition(".")[0]
    named = [other for other in missing if other.startswith(stem) and _GOES_ON.fullmatch(other[len(stem) :])]
    said = [f"'{other}'" for other in named[:_TOLD]]
    if more := len(missing) - len(said):
        said.append(f"{more:,} {'more ' if said else ''}file{'s' * (more > 1)} that the header names")
    return UnusableDataError(
        WAITING, f"incomplete since {since:%Y-%m-%d %H:%M:%S} UTC: waits for {', '.join(said)}"
    )


def _why_not(data: bytes) -> str:
    if len(data) < 512 and data.strip().endswith(b".mat"):
        return f"{len(data)} bytes of text, the name of a MATLAB file in place of its content: upload the file"
    if data.lstrip()[:1] in (b"{", b"["):
        return "it begins as JSON, which is read as no ECG: export rows of numbers, or what docs/formats.md lists"
    if wfdb.is_whole_header(data):
        return "a WFDB header under another name: call it '….hea', beside the files that it names"
    if len(data) < 4:
        return f"the file ends after {len(data)} byte{'s' * (len(data) != 1)}: too short for any recording"
    return f"no known format begins like these {len(data):,} bytes (docs/formats.md lists what is read)"
