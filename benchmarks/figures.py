"""A benchmark's figures: a line of JSON each, and whether its target is met.

Belongs here: how benchmarks say what they found. Does not belong here: measuring (`benchmarks/day.py`), targets.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from typing import Any


def options(doc: str | None) -> argparse.ArgumentParser:
    """A parser whose help is the module's docstring as it stands."""
    return argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)


def line(
    bench: str, value: float, unit: str, *, least: float | None = None, most: float | None = None, **more: Any
) -> dict[str, Any]:
    """A figure as a line of JSON says it; the target is one it should reach (`least`) or stay below (`most`)."""
    ok = (least is None or value >= least) and (most is None or value <= most)
    target = least if least is not None else most
    return {"bench": bench, "value": round(value, 3), "unit": unit, "target": target, "ok": ok, **more}


def report(lines: Iterable[dict[str, Any]]) -> int:
    """Print figures as they come; 1 if one misses its target, else 0."""
    missed = 0
    for each in lines:
        print(json.dumps(each, ensure_ascii=False), flush=True)
        missed |= not each["ok"]
    return int(missed)
