"""The check of resolution: is a lead stored finely enough to be an ECG in the unit that its file declares.

A file with a wrong physical range says millivolts and means something else, and its steps give it away whatever the
heart does.

Belongs here: the step between two neighbouring stored values. Does not belong here: the size of the signal itself
(`structure.py`) or its quality (`vitalake/ecg/quality/rules.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from vitalake.ecg.recording import MILLIVOLT, Finding, Lead

ASKED_STEP_UV = 5.0
COARSEST_STEP_UV = 10.0
ROUNDING = 1e-3  # ranges are declared in a few decimal digits: 10.001 µV is meant to be 10


def resolution_finding(leads: Sequence[Lead]) -> Finding | None:
    """S10 where one stored step of any voltage lead is coarser than 10 µV, saying how coarse; else None.

    Leads of floating-point samples have no step, leads without a gain no microvolts: both are left out.

    Source: 5 µV or finer is what IEC 60601-2-25 and the AHA ask for (Kligfield et al. 2007, Circulation 115:1306);
    10 µV is tolerated because recorders for long-term use have it.
    """
    steps_uv = [
        1000.0 / abs(lead.gain_adu_per_unit)
        for lead in leads
        if lead.unit == MILLIVOLT and lead.gain_adu_per_unit and lead.samples.dtype.kind in "iu"
    ]
    coarse = [step for step in steps_uv if step > COARSEST_STEP_UV * (1 + ROUNDING)]
    if not coarse:
        return None
    return Finding(
        "S10",
        f"one stored step is {max(coarse):,.4g} µV in {len(coarse)} of {len(leads)} leads, expected at "
        f"most {COARSEST_STEP_UV:g} µV and better {ASKED_STEP_UV:g}: are gain and unit right?",
    )
