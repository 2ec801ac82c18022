"""ECG files that name a person in every text that their formats have, good ones and broken ones.

Belongs here: bytes, by key. Does not belong here: what must come of them, or fields that are kept by design: the
model of a device, and in a good file the name of a lead that names a signal.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
from pydicom.dataset import Dataset

from tests.canary import BORN, EVERYTHING, MAIL, NAME, PHONE, PHONE_DIGITS, RECORD_NUMBER, WORD
from tests.vitalake.ecg.matlab_files import compressed, strip, v4_file, v5_file
from tests.vitalake.ecg.readers import aecg_files, dicom_files, scp_files
from tests.vitalake.ecg.readers.edf_files import Made, annotation_signal, make_edf
from tests.vitalake.ecg.readers.ishne_files import ishne_file
from tests.vitalake.ecg.readers.matlab_other_files import hdf5_file, put

FIELD = WORD[:31]  # a name of MATLAB
FIRST, LAST = NAME.split()
HEADER = b"MATLAB 5.0 MAT-file, " + EVERYTHING.encode()[:100]


def canary_files() -> dict[str, bytes]:
    """All of them; no key names anybody, and files that go together lie in a folder of their own."""
    return {
        **{f"matlab/{number}.mat": data for number, data in enumerate(_matlab())},
        **{f"hdf5/{number}.mat": data for number, data in enumerate(_hdf5())},
        **dict(_wfdb()),
        **{f"edf/{number}.edf": data for number, data in enumerate(_edf())},
        **{f"dicom/{number}.dcm": data for number, data in enumerate(_dicom())},
        **{f"aecg/{number}.xml": data for number, data in enumerate(_aecg())},
        **{f"ishne/{number}.ecg": data for number, data in enumerate(_ishne())},
        **{f"scp/{number}.scp": data for number, data in enumerate(_scp())},
        **{f"text/{number}.csv": data for number, data in enumerate(_text())},
        **{f"other/{number}": data for number, data in enumerate(_no_ecg())},
    }


def _matlab() -> Iterator[bytes]:
    name, signal = WORD.encode(), v4_file(strip())
    text = np.array([list(EVERYTHING.encode())], dtype="f8")
    about = {FIELD: EVERYTHING, "patient": {FIELD: EVERYTHING, "name": {FIELD: np.ones((2, 9))}}}
    cells = np.array([[EVERYTHING, np.ones((2, 3))]], dtype=object)
    yield signal + v4_file(text, name, kind=1) + v4_file([[1.0]], name + b"2")
    yield _named({"val": strip(), FIELD: EVERYTHING, f"a_{FIELD}"[:31]: about})
    yield HEADER.ljust(124)[:124] + v5_file(val=strip(), patient=cells)[124:]
    yield v4_file(strip(), name)  # the only matrix
    # Refused, each for something that has a name.
    yield v4_file(strip(), name) + v4_file(strip(), name + b"2")
    yield v4_file(strip(), name) + v4_file(strip(), name)
    yield v4_file(strip(), name)[:500]
    yield v4_file(text, name, kind=1)
    yield _named({FIELD: strip(), f"a_{FIELD}"[:31]: strip()})
    yield _named({FIELD: EVERYTHING})
    yield _named({FIELD: about})
    yield v5_file(ECG={"data": EVERYTHING, FIELD: EVERYTHING})
    yield v5_file(val=EVERYTHING)
    yield v5_file(val=strip(), fs=EVERYTHING)
    yield v5_file(val=cells)
    yield (one := _named({FIELD: strip()})) + one[128:]
    yield _patched(_named({FIELD: strip()}), 144, b"\x20")  # an unknown class
    yield _patched(one, one.index(struct.pack("<2I", 3, 7200)) + 4, struct.pack("<I", 7192))
    yield HEADER.ljust(124)[:124] + b"\0\1IM" + compressed(one[128:])[:-20]
    yield _named({FIELD: {FIELD: strip(), "b": {FIELD: strip()}}})
    yield HEADER.ljust(124)[:124] + b"\0\1IM" + EVERYTHING.encode()


def _named(variables: dict[str, Any]) -> bytes:
    return v5_file(**variables)


def _hdf5() -> Iterator[bytes]:
    def about(file: h5py.File) -> None:
        group = file.create_group(f"{NAME} {PHONE_DIGITS}")
        group.attrs[NAME] = EVERYTHING
        group.create_dataset(WORD, data=EVERYTHING)
        group[f"{WORD}_link"] = h5py.SoftLink(f"/{WORD}")
        put(group, f"{WORD}_2", np.ones((2, 9)), "double")

    def good(file: h5py.File) -> None:
        put(file, "val", strip(3600), "int16").attrs["patient"] = EVERYTHING
        about(file)

    def two(file: h5py.File) -> None:
        for number in range(2):
            put(file, f"{WORD}_{number}", strip(3600), "int16")

    def in_groups(file: h5py.File) -> None:
        put(file.create_group("a.b"), WORD, strip(3600), "int16")
        put(file.create_group("a").create_group("b"), WORD, strip(3600), "int16")

    yield hdf5_file(good)
    yield hdf5_file(about)
    yield hdf5_file(two)
    yield hdf5_file(in_groups)
    yield hdf5_file(lambda file: file.create_dataset(WORD, data=EVERYTHING) and None)
    yield hdf5_file(lambda file: file.create_dataset(f"{NAME}\u00e9", data=np.ones((2, 3))) and None)
    yield hdf5_file(lambda file: file.create_dataset(WORD, (2, 2**26), "f8", chunks=(2, 2**10)) and None)
    yield (whole := hdf5_file(good))[: len(whole) // 2]


def _wfdb() -> Iterator[tuple[str, bytes]]:
    samples = np.tile(strip(1800)[0], 2).astype("<i2").tobytes()
    comments = (
        f"# {EVERYTHING}\n#<name>: {NAME}\n# Dx: {NAME},{PHONE_DIGITS},19511202,7734921,B12.ZYQH\n# Age: {BORN}\n"
    )
    signal = f"{{file}} 16 200/{{unit}} 16 0 0 0 0 {NAME} {PHONE}\n"
    first = f"{FIRST} 1 360 3600 05:06:07 {BORN}\n"
    headers = {
        "good": first + signal.format(file="good.dat", unit="mV") + comments,
        "unit": first + signal.format(file="unit.dat", unit=FIRST) + comments,
        "waits": first + signal.format(file=f"{WORD}.dat", unit="mV") + comments,
        "later": first + signal.format(file=f"later_{WORD}.dat", unit="mV"),
        "format": f"{FIRST} 1 360 3600\nformat.dat {FIRST} 200 16 0 0 0 0 {NAME}\n",
        "gain": f"{FIRST} 1 360 3600\ngain.dat 16 200({FIRST})/mV 16 0 0 0 0 {NAME}\n",
        "folder": f"{FIRST} 1 360 3600\n../{WORD}.dat 16 200 16 0 0 0 0 {NAME}\n",
        "rate": f"{FIRST} 1 {FIRST} 3600\nrate.dat 16 200 16 0 0 0 0 {NAME}\n",
        "matrix": f"{FIRST} 1 360 3600\n{WORD}.mat 16 200 16 0 0 0 0 {NAME}\n",
        "segments": f"{FIRST}/2 1 360 3600\n{WORD}_1 1800\n{WORD}_2 1800\n{comments}",
        "odd": f"{FIRST}/1 1 360 3600\n{WORD}_1 {FIRST}\n",
        "blank": f"{NAME} {BORN}\n",
        "note": f"# {EVERYTHING}\n",
        "count": f"{FIRST} 5 360 3600\n" + signal.format(file="count.dat", unit="mV"),
    }
    for name, text in headers.items():
        yield f"wfdb/{name}/{name}.hea", text.encode()
        yield f"wfdb/{name}/{name}.dat", samples
        yield f"wfdb/{name}/{name}.atr", struct.pack("<HH", 22 << 10, 63 << 10 | 16) + NAME.encode()
    yield "wfdb/matrix/matrix.mat", b"no matrix " + EVERYTHING.encode()
    yield "wfdb/alone.dat", EVERYTHING.encode() + b"\0\1" * 9


def _edf() -> Iterator[bytes]:
    rows = np.resize(strip(), (10, 360))
    patient = f"{RECORD_NUMBER} F 02-DEC-1951 {NAME.replace(' ', '_')} {PHONE_DIGITS}"
    names: dict[str, Any] = {
        "patient": patient,
        "recording": f"Startdate 02-MAR-2004 PSG {NAME} {RECORD_NUMBER}",
        "reserved": "EDF+C",
    }
    notes = annotation_signal([f"+{at}\x14\x14\0+{at}\x14{NAME}\x14\0".encode() for at in range(10)], width=40)
    named = Made(rows, NAME)
    yield make_edf(named, Made(rows, "II", FIRST), notes, **names)
    yield make_edf(named, patient=EVERYTHING[:80], recording=EVERYTHING[:80], reserved=NAME)
    yield make_edf(Made(rows, NAME, MAIL[:8]), **names)
    # Refused for what stands in a field of a number, or of a date.
    yield make_edf(named, record_s=FIRST, **names)
    yield make_edf(Made(rows, NAME, physical=(FIRST, "1")), **names)
    yield make_edf(Made(rows, NAME, digital=("1", FIRST)), **names)
    yield make_edf(named, **{**names, "reserved": f"EDF+D {NAME}"})
    yield make_edf(named, time=FIRST, date=FIRST, **names)
    whole = make_edf(named, **names)
    yield _patched(whole, 236, FIRST.encode().ljust(8))
    yield _patched(whole, 184, FIRST.encode().ljust(8))
    yield _patched(whole, 252, b"Zyqh")
    yield whole[:-100]
    yield make_edf(notes, **names)


def _dicom() -> Iterator[bytes]:
    group = dicom_files.group(strip(5000).T, dicom_files.channel(NAME, ChannelLabel=NAME))
    people: dict[str, Any] = {
        "PatientName": NAME.replace(" ", "^"),
        "PatientID": RECORD_NUMBER,
        "PatientBirthDate": "19511202",
        "PatientComments": EVERYTHING,
        "OtherPatientNames": NAME,
        "PatientTelephoneNumbers": PHONE,
        "PatientAddress": EVERYTHING[:60],
        "ReferringPhysicianName": NAME,
        "OperatorsName": NAME,
        "InstitutionName": NAME,
        "StationName": FIRST,
        "StudyDescription": NAME,
        "DeviceSerialNumber": RECORD_NUMBER,
        "AcquisitionDateTime": NAME,
    }
    good = dicom_files.make_dicom(group, **people)
    yield good
    yield EVERYTHING.encode()[:128].ljust(128) + good[128:]
    yield dicom_files.make_dicom(dicom_files.group(strip(5000).T, dicom_files.channel(unit=FIRST)), **people)
    yield dicom_files.make_dicom(
        dicom_files.group(
            strip(5000).T, dicom_files.channel(ChannelSensitivityUnitsSequence=dicom_files.code("", NAME))
        ),
        **people,
    )
    yield dicom_files.make_dicom(**people)
    yield good[:-3000]
    yield _changed(good, b"SS", b"ZY")
    yield _changed(good, b"1.2.840.10008.1.2.1", b"1.2.840.Zyqhvut.Qrs")
    private = Dataset()
    private.add_new(0x00091010, "LO", NAME)
    yield dicom_files.make_dicom(group, PerformedProcedureStepDescription=NAME, **people)


def _aecg() -> Iterator[bytes]:
    digits = " ".join(map(str, strip(2500)[0]))
    lead, axis = aecg_files.lead, aecg_files.ABSOLUTE
    comment = f"<!-- {EVERYTHING} --><?{FIRST} {EVERYTHING}?>"
    odd = f'<{WORD} {FIRST}="{EVERYTHING}" xmlns:{LAST}="urn:{FIRST}"><text>{EVERYTHING}</text></{WORD}>'

    def document(*sets: str, before: str = "", inner: str = odd, low: str = BORN) -> bytes:
        made = aecg_files.document([aecg_files.series(*sets, inner=inner, low=low)], before=before)
        return made.replace(b"P-17", RECORD_NUMBER.encode()).replace(b"Canary", EVERYTHING.encode())

    good = document(axis + lead(f"MDC_ECG_LEAD_{FIRST}", digits) + lead(NAME, digits), before=comment)
    yield good
    yield document(axis + lead("MDC_ECG_LEAD_II", digits, scale=f'<scale value="2.5" unit="{NAME}"/>', origin=""))
    yield document(axis + lead(NAME, digits, scale=f'<scale value="{NAME}" unit="uV"/>'))
    yield document(axis + lead(NAME, digits, origin=f'<origin value="1" unit="{NAME}"/>'))
    yield document(axis + lead(NAME, f"{digits} {NAME}"))
    yield document(axis + lead(NAME, digits, kind=WORD))
    yield document(
        aecg_files.axis("TIME_ABSOLUTE", "GLIST_TS", f'value="{NAME}"', f'value="{NAME}" unit="{FIRST}"')
    )
    yield _changed(good, b"</AnnotatedECG>", f"</{WORD}>".encode())
    yield _changed(good, b"</AnnotatedECG>", f"&{WORD};</AnnotatedECG>".encode())
    yield _changed(good, b"</AnnotatedECG>", f"<{FIRST} a=1></AnnotatedECG>".encode())
    yield _changed(good, b"</AnnotatedECG>", f"<{FIRST}:a/></AnnotatedECG>".encode())
    yield _changed(good, b"utf-8", FIRST.encode())
    yield document(lead(NAME, digits), before=f'<!DOCTYPE {WORD} [<!ENTITY {FIRST} "{EVERYTHING}">]>')
    yield f"<{WORD}><AnnotatedECG>{EVERYTHING}</AnnotatedECG></{WORD}>".encode()
    yield good[: len(good) // 2]


def _ishne() -> Iterator[bytes]:
    good = ishne_file(strip(2000, 3), notes=EVERYTHING.encode())
    for old, new in ((b"Canary", FIRST), (b"Wren", "Qrxt"), (b"P-17", "7734")):
        good = _changed(good, old, new.encode()[: len(old)].ljust(len(old), b"\0"))
    yield good
    yield good[:-100]
    yield good[:500]
    yield _patched(good, 138, FIRST.encode()[:6])  # the date of the recording
    yield _patched(good, 156, b"Zy")  # the number of leads


def _scp() -> Iterator[bytes]:
    text = {f"t{tag}": EVERYTHING.encode()[:80] + b"\0" for tag in (0, 1, 3, 10, 11, 13, 16, 20, 21, 30, 35)}
    numbers = {"t2": RECORD_NUMBER.encode() + b"\0", "t5": struct.pack("<HBB", 1951, 12, 2), "t25": FIRST.encode()}
    samples = [struct.pack("<2500h", *strip(2500)[0])] * 2
    sections = {
        1: scp_files.tags(**text, **numbers),
        3: scp_files.lead_table([(1, 2500, 1), (1, 2500, 2)]),
        6: scp_files.waveforms(samples),
        8: b"\1" + EVERYTHING.encode(),
        11: EVERYTHING.encode(),
    }
    good = scp_files.record(sections)
    yield good
    yield good[:-200]
    yield _changed(good, FIRST.encode(), FIRST.lower().encode())  # a wrong checksum
    yield scp_files.record({1: sections[1], 3: sections[3]})
    yield scp_files.record({1: sections[1], 3: NAME.encode(), 6: sections[6]})
    yield scp_files.record({**sections, 6: NAME.encode() * 9})


def _text() -> Iterator[bytes]:
    values = strip(3600, 2).T
    rows = "".join(f"{at / 360:.6f},{one},{two}\n" for at, (one, two) in enumerate(values))
    comments = f"# {EVERYTHING}\n# name: {NAME}\n# sampling rate: 360 Hz ({PHONE})\n# born = {BORN}\n"
    names = f"time,{NAME},{LAST} (mV)\n"
    yield (comments + names + rows).encode()
    yield (comments + f"# labels: {NAME}; {LAST}\n# unit: {FIRST[:8]}\n" + rows).encode()
    yield (f"{NAME};{BORN};{PHONE}\n" + names + f"s,{FIRST},{LAST}\n" + rows).encode()
    yield (f"{NAME} ({FIRST})\n" + "".join(f"{one}\n" for one in values[:, 0])).encode()
    yield (names + rows + f"{NAME},{PHONE},{BORN}\n").encode()
    yield (names + rows + f"{NAME},{PHONE},{BORN},{MAIL}\n").encode()
    yield (names + rows + f'"{NAME}\n').encode()
    yield (names + rows + f"1,{PHONE_DIGITS}{PHONE_DIGITS},2\n").encode()
    yield ("a,b\n" + "".join(f"{at},{at % 7}{PHONE_DIGITS}{PHONE_DIGITS[:7]}\n" for at in range(3600))).encode()
    yield f"{NAME}\n{EVERYTHING}\n".encode()
    yield (comments + names + rows).encode("utf-16")


def _no_ecg() -> Iterator[bytes]:
    yield f"{NAME}".encode()
    yield b"Zyqh"
    yield "Ян\n".encode() + EVERYTHING.encode()
    yield b'{"name": "' + NAME.encode() + b'"}'
    yield f"\ufeff{NAME}".encode()
    yield NAME.encode("utf-16")
    yield b"%PDF-1.7 " + EVERYTHING.encode()


def _patched(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def _changed(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new)
