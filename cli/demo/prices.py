"""Generated price lists of cloud instances, as CSV of several makes.

Belongs here: which synthetic lists there are, good and broken, the same bytes for the same arguments. Does not
belong here: how lists are read and judged (`vitalake/datasets/pricing.py`), uploading them, or any real price.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date

from cli.demo.recordings import DemoFile

HEADER = (
    "ID", "Region", "InstanceFamily", "InstanceType", "Price (USD/h)", "vCPU", "Memory", "Storage", "OS", "Network",
)  # fmt: skip
# Family: name, price of a virtual processor in USD an hour, memory of one in GiB.
_FAMILIES = {
    "c7": ("Compute optimised", 0.0425, 2.0),
    "m7": ("General purpose", 0.0504, 4.0),
    "r7": ("Memory optimised", 0.0661, 8.0),
}
_SIZES = {"large": 2, "xlarge": 4, "2xlarge": 8, "4xlarge": 16}
_REGIONS = {"north-1": 1.0, "south-1": 1.18, "west-2": 0.97}
_NEWER = 0.92  # what the newer list of a region asks, of the older one's price


def price_files(first_day: date) -> Iterator[DemoFile]:
    """A list of each region, each written by another program, and a file of another make."""
    north, south, west = (_rows(region) for region in _REGIONS)
    folder = f"pricing/date={first_day}"
    yield DemoFile(f"{folder}/north-1.csv", b"\xef\xbb\xbf" + _csv(north, newline="\r\n"), "mark and CRLF")
    yield DemoFile(f"{folder}/south-1.csv", _csv(south, delimiter=";"), "semicolons")
    west[1][7] = "none,\nattach a volume"
    lines = _csv(west)
    lines += b"399,west-2,General purpose\n"
    lines += b"398,west-2,General purpose,m7.metal,on request,64,256,none,Linux,25 Gbit/s\n"
    lines += b"397,west-2,General purpose,m7.spare,-0.05,2,8,none,Linux,5 Gbit/s\n"
    lines += _csv([[*west[0][:4], "0.0799", *west[0][5:]]], header=False)  # the first offer again, the last word
    yield DemoFile(f"{folder}/price list (west-2).csv", lines, "broken rows")
    yield DemoFile(f"{folder}/euro.csv", _csv(north).replace(b"USD", b"EUR", 1), "another header")


def newer_price_files(first_day: date) -> Iterator[DemoFile]:
    """A newer list of one region: all its offers are cheaper, and one is new. To be uploaded after the others."""
    rows = _rows("north-1", _NEWER)
    rows.append(["113", "north-1", "Compute", "c8.large", "0.0689", "2", "4", "none", "Linux", "fast"])
    yield DemoFile(f"pricing/date={first_day}/north-1 (2).csv", _csv(rows), "newer")


def _rows(region: str, factor: float = 1.0) -> list[list[str]]:
    number = 100 * (1 + list(_REGIONS).index(region))
    rows = []
    for short, (family, price, memory) in _FAMILIES.items():
        for size, processors in _SIZES.items():
            number += 1
            usd = round(price * processors * _REGIONS[region] * factor, 4)
            network = f"{5 * max(1, processors // 4)} Gbit/s"
            offer = [str(number), region, family, f"{short}.{size}", f"{usd:g}", str(processors)]
            rows.append([*offer, f"{memory * processors:g}", "none", "Linux", network])
    return rows


def _csv(rows: Sequence[Sequence[str]], delimiter: str = ",", newline: str = "\n", *, header: bool = True) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=newline)
    writer.writerows([HEADER, *rows] if header else rows)
    return text.getvalue().encode()
