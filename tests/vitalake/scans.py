"""A retina scan as a clinic sends it, with nothing wrong in it.

Belongs here: values that tests change. Does not belong here: assertions.
"""

from __future__ import annotations

SCAN = {
    "patient_id": "P1",
    "patient_name": "Ada Example",
    "scan_date": "2025-03-01",
    "retina_thickness_microns": 280,
    "optic_disc_cup_ratio": 0.35,
    "diagnosis": "glaucoma",
}
