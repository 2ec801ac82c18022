"""Generated retina scans, as imaging systems export them: an array, lines, a single object, a byte order mark.

Belongs here: which synthetic scans there are, good and broken, the same bytes for the same arguments. Does not
belong here: how scans are read and judged (`vitalake/datasets/retina.py`), uploading them, or any real patient.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np

from cli.demo.recordings import DemoFile

_GIVEN = ("Alva", "Bruno", "Carla", "Deniz", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kaisa", "Luca")
_FAMILY = ("Abel", "Brandt", "Costa", "Dahl", "Ekholm", "Fontana", "Garnier", "Holm", "Ivanov", "Jansen", "Kowal")
_PATIENTS = len(_GIVEN) * len(_FAMILY)
# Diagnosis: its share of the scans, thickness (µm) and cup-to-disc ratio, each with its spread.
_DIAGNOSES = {
    "Normal": (0.50, (265, 15), (0.32, 0.08)),
    "Glaucoma": (0.14, (240, 15), (0.74, 0.07)),
    "Glaucoma suspect": (0.08, (255, 15), (0.57, 0.05)),
    "Diabetic Retinopathy": (0.12, (300, 25), (0.35, 0.08)),
    "Macular Edema": (0.08, (410, 40), (0.34, 0.08)),
    "Macular Degeneration": (0.08, (225, 20), (0.33, 0.08)),
}
# What is wrong with a scan, and the rule that says so; the last three are let through with a warning.
BROKEN_SCANS: dict[str, tuple[str, dict[str, Any]]] = {
    "no patient": ("D04", {"patient_id": "  "}),
    "words for a number": ("D05", {"retina_thickness_microns": "not measured"}),
    "two ids in one": ("R01", {"patient_id": "P0007/P0008"}),
    "a clock that is wrong": ("R02", {"scan_date": "2098-01-01"}),
    "millimetres": ("R03", {"retina_thickness_microns": 0}),
    "percent": ("R04", {"optic_disc_cup_ratio": 31.0}),
    "another language": ("R05", {"diagnosis": "Glaukom"}),
    "no name": ("R06", {"patient_name": None}),
    "a new field": ("D06", {"eye": "left"}),
}


def retina_files(first_day: date, days: int = 2, per_day: int = 150) -> Iterator[DemoFile]:
    """Scans of four devices, day by day; each day some are broken, and one export is no JSON at all.

    Args:
        first_day: date in the key of the first scans.
        days: number of days.
        per_day: about how many scans on each day.
    """
    broken = list(BROKEN_SCANS)
    for number in range(days):
        day = first_day + timedelta(days=number)
        rng = np.random.default_rng([day.toordinal(), 1])
        scans = [_scan(rng, day) for _ in range(per_day)]
        for kind in broken[number::days]:
            scans[int(rng.integers(per_day // 2))] |= BROKEN_SCANS[kind][1]
        array, lines, marked = scans[: per_day // 2], scans[per_day // 2 : -per_day // 5], scans[-per_day // 5 :]
        folder, text = f"retina/date={day}", b"".join(_json(scan) + b"\n" for scan in lines)
        yield DemoFile(f"{folder}/device=oct-01/export.json", _json(array, indent=1), "array")
        yield DemoFile(f"{folder}/device=oct-02/export.ndjson", text, "lines")
        yield DemoFile(f"{folder}/device=oct-03/Export {day:%d.%m}.json", b"\xef\xbb\xbf" + _json(marked), "marked")
        yield DemoFile(f"{folder}/device=handheld-04/scan.json", _json(_scan(rng, day)), "single")
    page = b"<!DOCTYPE html>\n<html><title>502 Bad Gateway</title></html>\n"
    yield DemoFile(f"retina/date={first_day}/device=oct-02/retry.json", page, "no JSON")
    # An upload that broke off in the middle of its last line.
    rng = np.random.default_rng([first_day.toordinal(), 2])
    cut = b"".join(_json(_scan(rng, first_day)) + b"\n" for _ in range(5))[:-40]
    yield DemoFile(f"retina/date={first_day}/device=oct-02/cut.ndjson", cut, "cut off")


def _scan(rng: np.random.Generator, day: date) -> dict[str, Any]:
    patient = int(rng.integers(_PATIENTS))
    names = list(_DIAGNOSES)
    diagnosis = names[int(rng.choice(len(names), p=[share for share, _, _ in _DIAGNOSES.values()]))]
    _, thickness, ratio = _DIAGNOSES[diagnosis]
    return {
        "patient_id": f"P{patient + 1:04d}",
        "patient_name": f"{_GIVEN[patient % len(_GIVEN)]} {_FAMILY[patient // len(_GIVEN)]}",
        "scan_date": day.isoformat(),
        "retina_thickness_microns": round(float(rng.normal(*thickness))),
        "optic_disc_cup_ratio": round(min(max(float(rng.normal(*ratio)), 0.05), 0.95), 2),
        "diagnosis": diagnosis,
    }


def _json(value: Any, indent: int | None = None) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=indent).encode()
