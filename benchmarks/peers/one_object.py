"""Records as pipelines on functions usually load them: one object at a time, with boto3 and the standard library.

Belongs here: what one invocation does with one object. Does not belong here: what is compared
(`benchmarks/records.py`).

The design is that of the pipelines this project replaces, in its cheapest form: rows are collected as dictionaries
and leave as one Parquet object (CSV), or as one JSON object a table (scans). Nothing is checked, and every value of
a CSV file stays the text that it was.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from typing import Any

import pandas as pd


def load_csv(s3: Any, raw: str, keys: Iterable[str], target: str) -> None:
    """Each file to one Parquet object."""
    for key in keys:
        body = s3.get_object(Bucket=raw, Key=key)["Body"].read()
        rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))
        sink = io.BytesIO()
        pd.DataFrame(rows).to_parquet(sink)
        s3.put_object(Bucket=target, Key=f"loaded/{key}.parquet", Body=sink.getvalue())


def load_json(s3: Any, raw: str, keys: Iterable[str], target: str, tables: dict[str, tuple[str, ...]]) -> None:
    """Each array to one JSON object a table; `tables`: its name → its fields."""
    for key in keys:
        records = json.loads(s3.get_object(Bucket=raw, Key=key)["Body"].read())
        for table, fields in tables.items():
            rows = [{name: record.get(name) for name in fields} for record in records]
            s3.put_object(Bucket=target, Key=f"loaded/{table}/{key}", Body=json.dumps(rows).encode())
