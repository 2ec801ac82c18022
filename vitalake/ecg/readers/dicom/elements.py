"""The elements of a DICOM file that an ECG needs, found by pydicom, as plain values.

Belongs here: what pydicom is asked, and what it must not let pass. Does not belong here: what the values mean
(`dicom`), limits on time and memory (`vitalake/ecg/readers/limited/`): pydicom builds every nested item, 84 MB of
objects for a megabyte of empty ones, so nothing but the limited process may import this.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import itertools
import re
import struct
import zlib
from datetime import timezone
from typing import Any

import numpy as np
from pydicom import config, filereader
from pydicom.charset import python_encoding
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian
from pydicom.valuerep import DT

from vitalake.ecg.readers.dicom.beginning import meta_at
from vitalake.ecg.readers.matlab.variable import Matrix
from vitalake.errors import UnusableDataError

HEADER_BYTES = 1 << 20  # what a deflated file may hold beside its samples
MAX_ITEMS = 500_000  # an ECG with all its annotations has some thousands
MAX_TEXT = 64  # characters of a long string (LO)
ITEM, ITEM_END, UNDEFINED = (0xFFFE, 0xE000), (0xFFFE, 0xE00D, 0), 0xFFFFFFFF
_KEYWORDS = (
    "AcquisitionDateTime TimezoneOffsetFromUTC Manufacturer ManufacturerModelName PatientID WaveformSequence "
    "MultiplexGroupTimeOffset NumberOfWaveformChannels NumberOfWaveformSamples SamplingFrequency "
    "WaveformBitsAllocated WaveformSampleInterpretation WaveformPaddingValue WaveformData "
    "ChannelDefinitionSequence ChannelLabel ChannelSourceSequence ChannelSensitivity ChannelBaseline "
    "ChannelSensitivityUnitsSequence ChannelSensitivityCorrectionFactor ChannelTimeSkew ChannelSampleSkew "
    "CodeValue CodeMeaning"
)
_WANTED: dict[int, str] = {Tag(keyword): keyword for keyword in _KEYWORDS.split()}
_BINARY = ("WaveformData", "WaveformPaddingValue")
_LAST = Tag("WaveformSequence")  # tags ascend: nothing wanted comes behind it
_read_item = filereader.read_sequence_item
_ITEMS = itertools.count(1)  # read so far: a fork reads one file


def _read_whole_item(file: Any, implicit: bool, little: bool, *rest: Any) -> Dataset | None:
    """Pydicom takes anything for an item and reads over its end: then channels get the gains of others."""
    if next(_ITEMS) > MAX_ITEMS:
        raise UnusableDataError("S02", f"the data set has more than {MAX_ITEMS:,} items")
    start = file.tell()
    item = _read_item(file, implicit, little, *rest)
    if item is not None:
        head, end = struct.Struct("<HHL" if little else ">HHL"), file.tell()
        group, number, length = head.unpack_from(file.getbuffer(), start)
        closed = head.unpack_from(file.getbuffer(), end - head.size) == ITEM_END
        if (group, number) != ITEM or not (closed if length == UNDEFINED else start + head.size + length == end):
            raise UnusableDataError("S02", f"the item at byte {start:,} of a sequence is damaged")
        _check_whole(item)
    return item


def _check_whole(dataset: Dataset) -> None:
    """Pydicom also takes a value that ends early, the last of several elements, and an item for an element."""
    places: list[int] = []
    for tag in sorted(dataset.keys()):
        element: Any = dataset.get_item(tag, keep_deferred=True)
        raw = isinstance(element, RawDataElement)
        places.append(element.value_tell if raw else element.file_tell)
        if tag >> 16 == ITEM[0] or (raw and element.length not in (len(element.value or b""), UNDEFINED)):
            raise UnusableDataError("S02", f"the element at byte {places[-1]:,} is damaged")
    if places != sorted(places):
        raise UnusableDataError("S02", "elements are repeated or out of order")


filereader.read_sequence_item = _read_whole_item  # type: ignore[assignment]
config.assume_implicit_vr_switch = False  # a guess where an element is damaged


def read_unguarded(data: bytes, max_bytes: int) -> tuple[dict[str, Matrix], dict[str, str]]:
    """Bytes, shape (1, length), and texts by their place, ``WaveformSequence.0.SamplingFrequency``.

    Of a sequence the number of its items is told, of other elements the first value, as text of at most 64
    characters; `byte_order` is ``<`` or ``>``, `started_at` the time of acquisition, ISO 8601 in UTC,
    or without an offset where the file names none.

    Raises:
        UnusableDataError: S01, more than `max_bytes` of samples, or inflates to that and a megabyte; S02.
        Exception: whatever pydicom raises.
    """
    file = io.BytesIO(data)
    file.seek(meta_at(data) or 0)
    syntax = filereader.read_dataset(file, False, True, stop_when=lambda tag, *_: tag >> 16 != 2).get(
        "TransferSyntaxUID"
    )
    if syntax == DeflatedExplicitVRLittleEndian:
        file = io.BytesIO(_inflate(data[file.tell() :], max_bytes + HEADER_BYTES))
    implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    top = filereader.read_dataset(
        file, implicit, little, stop_when=lambda tag, *_: tag > _LAST, specific_tags=[*_WANTED]
    )
    matrices: dict[str, Matrix] = {}
    texts = {"byte_order": "<" if little else ">"}
    _check_whole(top)
    _collect(top, "", matrices, texts)
    if sum(matrix.size for matrix in matrices.values()) > max_bytes:
        raise UnusableDataError("S01", f"the waveform has more than {max_bytes:,} bytes")
    started_at = _in_utc(texts.pop("AcquisitionDateTime", ""), texts.pop("TimezoneOffsetFromUTC", ""))
    return matrices, texts | started_at


def warm_up() -> None:
    """What pydicom imports late."""
    for encoding in {*python_encoding.values()}:
        codecs.lookup(encoding)
    read_unguarded(b"", 0)


def _inflate(deflated: bytes, most: int) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    content = inflater.decompress(deflated, most + 1)
    if len(content) > most:
        raise UnusableDataError("S01", f"the deflated data set has more than {most:,} bytes")
    if not inflater.eof:
        raise UnusableDataError("S02", "the deflated data set ends early")
    return content


def _collect(dataset: Dataset, path: str, matrices: dict[str, Matrix], texts: dict[str, str]) -> None:
    for tag in dataset.keys() & _WANTED.keys():
        place = path + _WANTED[tag]
        raw: Any = dataset.get_item(tag)
        if isinstance(raw, RawDataElement) and _WANTED[tag] in _BINARY:
            matrices[place] = np.frombuffer(raw.value or b"", np.uint8).reshape(1, -1)
            continue
        value = dataset[tag].value
        if isinstance(value, Sequence):
            texts[place] = str(len(value))
            for number, item in enumerate(value):
                _collect(item, f"{place}.{number}.", matrices, texts)
        else:
            first = value[0] if isinstance(value, MultiValue) else value
            texts[place] = str(first)[:MAX_TEXT] if isinstance(first, (str, int, float)) else ""


def _in_utc(text: str, zone: str) -> dict[str, str]:
    """A time with at least an hour; its own offset goes before that of the data set; without one as it is."""
    with contextlib.suppress(ValueError, OverflowError):  # no such day, hour or offset: nobody knows when
        if re.match("[0-9]{10}", text):
            at = DT(text)
            at = DT(text + zone) if at.tzinfo is None else at
            return {"started_at": (at if at.tzinfo is None else at.astimezone(timezone.utc)).isoformat()}
    return {}
