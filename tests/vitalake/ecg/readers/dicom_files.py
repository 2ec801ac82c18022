"""Makes DICOM files with waveforms, with pydicom, in every transfer syntax."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, TwelveLeadECGWaveformStorage, generate_uid

KINDS = {"i1": (8, "SB"), "u1": (8, "UB"), "i2": (16, "SS"), "u2": (16, "US"), "i4": (32, "SL"), "u4": (32, "UL")}


def code(value: str, meaning: str = "") -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "UCUM", meaning
    return Sequence([item])


def channel(name: str = "Lead I", unit: str | None = "uV", **elements: Any) -> Dataset:
    """A channel of 2.5 units a step, unless `elements` say otherwise; None leaves one out."""
    made = Dataset()
    made.ChannelSourceSequence = code("2:1", name)
    known = {"ChannelSensitivity": "2.5", "ChannelSensitivityCorrectionFactor": "1", "ChannelBaseline": "0"}
    if unit is not None:
        made.ChannelSensitivityUnitsSequence = code(unit)
    for keyword, value in {**known, "ChannelSampleSkew": "0", "WaveformBitsStored": 16, **elements}.items():
        if value is not None:
            setattr(made, keyword, value)
    return made


def group(
    stored: npt.ArrayLike, *channels: Dataset, dtype: str = "i2", order: str = "<", **elements: Any
) -> Dataset:
    """A multiplex group of samples of shape (samples, channels) at 500 Hz."""
    values = np.asarray(stored).astype(order + dtype)
    raw = values.tobytes()
    made = Dataset()
    made.WaveformOriginality, made.SamplingFrequency = "ORIGINAL", "500"
    made.NumberOfWaveformSamples, made.NumberOfWaveformChannels = values.shape
    made.ChannelDefinitionSequence = Sequence(channels or [channel() for _ in range(values.shape[1])])
    made.WaveformBitsAllocated, made.WaveformSampleInterpretation = KINDS[dtype]
    made.add_new("WaveformData", "OB" if dtype.endswith("1") else "OW", raw + b"\0" * (len(raw) % 2))
    for keyword, value in elements.items():
        if keyword == "WaveformPaddingValue":
            made.add_new(keyword, "OW", value)
        else:
            setattr(made, keyword, value)
    return made


def make_dicom(
    *groups: Dataset, syntax: UID = ExplicitVRLittleEndian, open_ended: bool = False, **elements: Any
) -> bytes:
    """A file; `open_ended` writes every sequence and item without a length."""
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = TwelveLeadECGWaveformStorage, generate_uid(entropy_srcs=["made"])
    made.PatientName = "Harry^Haagse"
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    if groups:
        made.WaveformSequence = Sequence(groups)
    if open_ended:
        _without_lengths(made)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = syntax
    target = io.BytesIO()
    made.save_as(target, enforce_file_format=True)
    return target.getvalue()


def _without_lengths(made: Dataset) -> None:
    for element in made:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
                _without_lengths(item)
