"""Price lists and scans for `benchmarks/records.py`, of any size, in the raw bucket.

Belongs here: making the bytes, the same each time, and putting them there. Does not belong here: measuring.

One record in `ONE_BAD` breaks a rule with the value 0 in the column that is summed, so that a sum over all records
is the sum over the good ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.day import Bench
from vitalake.datasets.retina import DIAGNOSES

ONE_BAD = 1000
CSV_HEADER = "ID,Region,InstanceFamily,InstanceType,Price (USD/h),vCPU,Memory,Storage,OS,Network\n"
_PIECE_BYTES = 8 << 20
_REGIONS = ("eu-central-1", "eu-west-1", "us-east-1", "ap-south-1")

Lines = Callable[[np.random.Generator, int, int], list[str]]


def csv_lines(rng: np.random.Generator, first: int, count: int, wrong: str | None = None) -> list[str]:
    """Rows of a price list; `wrong`: what stands for a price in one of `ONE_BAD` rows, instead of 0 vCPU."""
    prices, sizes, regions = rng.uniform(0.01, 30, count), rng.integers(1, 97, count), rng.integers(0, 4, count)
    rows = zip(range(first, first + count), prices.tolist(), sizes.tolist(), regions.tolist(), strict=True)
    return [
        f"{number},{_REGIONS[region]},Compute optimised,c5.{size}xlarge,"
        f"{wrong if wrong and not number % ONE_BAD else f'{price:.4f}'},"
        f"{size if wrong or number % ONE_BAD else 0},{size * 2.5:.1f},EBS only,Linux,Up to {size} Gigabit\n"
        for number, price, size, region in rows
    ]


def wrong_csv_lines(rng: np.random.Generator, first: int, count: int) -> list[str]:
    """Rows of which one in `ONE_BAD` has a price that is no number."""
    return csv_lines(rng, first, count, wrong="ask")


def json_lines(rng: np.random.Generator, first: int, count: int) -> list[str]:
    """Scans, each on a line without a comma."""
    thickness, ratio = rng.integers(200, 400, count).tolist(), rng.uniform(0, 1, count).tolist()
    days, kinds = rng.integers(1, 20, count).tolist(), rng.integers(0, len(DIAGNOSES), count).tolist()
    return [
        json.dumps(
            {
                "patient_id": f"P{first + row:08d}",
                "patient_name": f"Name {first + row:08d}",
                "scan_date": f"2026-11-{days[row]:02d}",
                "retina_thickness_microns": thickness[row] if (first + row) % ONE_BAD else 0,
                "optic_disc_cup_ratio": round(ratio[row], 4),
                "diagnosis": DIAGNOSES[kinds[row]],
            }
        )
        for row in range(count)
    ]


def small(bench: Bench, day: str, count: int, rows: int) -> None:
    """So many price lists and as many arrays of scans in a day, each of so many records."""
    rng = np.random.default_rng(1)
    files: dict[str, bytes] = {}
    for number in range(count):
        first = 1 + number * rows
        files[f"pricing/date={day}/{number:05d}.csv"] = (CSV_HEADER + "".join(csv_lines(rng, first, rows))).encode()
        files[f"retina/date={day}/{number:05d}.json"] = f"[{', '.join(json_lines(rng, first, rows))}]".encode()
    with ThreadPoolExecutor(16) as pool:
        for _ in pool.map(lambda key: bench.raw.put(key, files[key], expected=None), files):
            pass


def large_csv(bench: Bench, key: str, size_bytes: int, lines: Lines = csv_lines) -> int:
    """A price list of that size; its rows."""
    return _large(bench, key, size_bytes, (CSV_HEADER, "", ""), lines)


def large_json(bench: Bench, key: str, size_bytes: int) -> int:
    """An array of scans of that size; its records."""
    return _large(bench, key, size_bytes, ("[", ",\n", "]"), json_lines)


def _large(bench: Bench, key: str, size_bytes: int, around: tuple[str, str, str], lines: Lines) -> int:
    """Put an object a piece at a time: the pieces differ in nothing but their order in it."""
    before, between, after = around
    rng = np.random.default_rng(2)
    per_piece = _PIECE_BYTES // (sum(map(len, lines(rng, 1, 1000))) // 1000 + len(between)) + 1
    piece = between.join(lines(rng, 1, per_piece))
    pieces = max(1, round(size_bytes / len(piece)))

    def texts() -> Iterator[str]:
        for number in range(pieces):
            begin = between if number else before
            yield begin + piece + (after if number == pieces - 1 else "")

    client, where = bench.client(), {"Bucket": bench.settings.raw_bucket, "Key": key}
    upload = client.create_multipart_upload(**where)["UploadId"]
    parts = []
    for number, text in enumerate(texts(), 1):
        sent = client.upload_part(**where, UploadId=upload, PartNumber=number, Body=text.encode())
        parts.append({"PartNumber": number, "ETag": sent["ETag"]})
    client.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
    return pieces * per_piece
