"""Parquet that is the same bytes for the same rows, that DuckDB reads, and whose last bytes say what it is."""

from __future__ import annotations

import math
import struct
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitalake.datasets.ecg import ECG
from vitalake.ecg.tables import SIGNALS
from vitalake.lake import parquet
from vitalake.lake.tables import Column, Table

NOON = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=timezone.utc)
LAYOUT = ("inputs.of.it", 3)
EVERY_KIND = Table(
    "things",
    "One column of every kind.",
    (
        Column("text", "string", "Text."),
        Column("small", "int32", "Integer."),
        Column("large", "int64", "Integer."),
        Column("real", "float64", "Fraction."),
        Column("flag", "bool", "Flag."),
        Column("at", "timestamp", "Time."),
        Column("names", "list<string>", "Texts."),
        Column("samples", "list<int32>", "Samples."),
        Column("samples_real", "list<float64>", "Samples."),
    ),
)


def rows() -> list[dict[str, Any]]:
    full: dict[str, Any] = {
        "text": "Ünïcode 'quoted'\n",
        "small": -(2**31),
        "large": 2**63 - 1,
        "real": -0.0,
        "flag": True,
        "at": NOON,
        "names": ["II", ""],
        "samples": [-(2**31), 2**31 - 1, 0],
        "samples_real": [1.5, -1e308, 5e-324],
    }
    empty = full | {"names": [], "samples": [], "samples_real": []}
    return [full, empty, dict.fromkeys(full)]


def test_the_same_rows_are_the_same_bytes() -> None:
    first, second = (parquet.encode(EVERY_KIND, EVERY_KIND.from_rows(rows()), "x") for _ in range(2))
    assert first == second
    assert parquet.encode(EVERY_KIND, EVERY_KIND.from_rows(rows()), "y") != first
    assert parquet.encode(EVERY_KIND, EVERY_KIND.from_rows(rows()[:2]), "x") != first


def test_rows_come_back_as_they_were() -> None:
    data = parquet.encode(EVERY_KIND, EVERY_KIND.from_rows(rows()), "x")
    back = parquet.decode(data)
    assert back.to_pylist() == rows()
    assert back.schema == EVERY_KIND.arrow_schema()
    assert math.copysign(1, back.column("real")[0].as_py()) == -1
    assert parquet.decode(data, ["small", "text"]).to_pylist() == [
        {"small": row["small"], "text": row["text"]} for row in rows()
    ]


int32 = st.one_of(st.sampled_from([-(2**31), 2**31 - 1, 0]), st.integers(-(2**31), 2**31 - 1))
float_bits = st.floats(width=64, allow_nan=True, allow_infinity=True)


@given(st.lists(st.lists(int32, max_size=40), max_size=6), st.lists(st.lists(float_bits, max_size=40), max_size=6))
def test_samples_survive_to_the_last_bit(whole: list[list[int]], real: list[list[float]]) -> None:
    table = Table("s", "Samples.", EVERY_KIND.columns[-2:])
    pairs: list[dict[str, Any]] = [{"samples": values, "samples_real": None} for values in whole]
    pairs += [{"samples": None, "samples_real": values} for values in real]
    back = parquet.decode(parquet.encode(table, table.from_rows(pairs), "x")).to_pylist()
    assert [row["samples"] for row in back] == [*whole, *[None] * len(real)]
    bits = [struct.pack(f"{len(values)}d", *values) for values in real]
    assert [struct.pack(f"{len(r['samples_real'])}d", *r["samples_real"]) for r in back[len(whole) :]] == bits


def test_the_last_bytes_tell_inputs_and_rows() -> None:
    data = parquet.encode(EVERY_KIND, EVERY_KIND.from_rows(rows()), LAYOUT[0])
    assert parquet.footer(data[-parquet.FOOTER_BYTES :]) == LAYOUT
    size = int.from_bytes(data[-8:-4], "little") + 8
    assert parquet.footer(data[-size:]) == LAYOUT


def test_what_ends_no_part_of_ours_is_told_from_one() -> None:
    data = parquet.encode(EVERY_KIND, EVERY_KIND.from_rows(rows()), "x")
    size = int.from_bytes(data[-8:-4], "little") + 8
    cut_short = [data[:-1], data[:-4], data[:-100], data[-size + 1 :]]
    others = [b"", b"PAR1", b"\x10\0\0\0PAR1", bytes(size - 8) + data[-8:], b"\xff" * (size - 8) + data[-8:]]
    for tail in cut_short + others:
        with pytest.raises(ValueError, match=r"Parquet"):
            parquet.footer(tail)


def test_a_footer_of_which_a_bit_changed_tells_no_other_number_of_rows() -> None:
    data = parquet.encode(EVERY_KIND, EVERY_KIND.from_rows(rows()), "x")
    size = int.from_bytes(data[-8:-4], "little") + 8
    refused = 0
    for bit in range(8 * (size - 8)):
        tail = bytearray(data[-size:])
        tail[bit // 8] ^= 1 << bit % 8
        try:
            assert parquet.footer(bytes(tail))[1] == len(rows())
        except ValueError:
            refused += 1
    assert refused


def test_the_largest_part_that_can_be_still_tells_in_its_last_bytes() -> None:
    """Sixteen leads an object, as many objects as a part takes, keys as long as S3 allows."""
    leads = 16 * ECG.limits.part_objects
    lead = {column.name: 0.0 for column in SIGNALS.columns if column.kind == "float64"} | {
        "recording_id": "0" * 20,
        "signal_kind": "other",
        "kind_reason": "k" * 100,
        "lead_group": 0,
        "unit": "mV",
        "window_count": 1,
        "r_peaks": np.zeros(1, np.int32),
        "unusable_s": np.zeros(0),
        "samples": np.zeros(1, np.int32),
        "samples_real": None,
        "verdict": "unacceptable",
        "rules_verdict": "unacceptable",
        "reasons": ["Q01"],
    }
    table = SIGNALS.from_rows(
        [
            lead | {"source_key": f"{number:05d}".ljust(1024, "k"), "lead_index": number, "lead_name": "V" * 100}
            for number in range(leads)
        ]
    )
    data = parquet.encode(SIGNALS, table, "x")
    assert int.from_bytes(data[-8:-4], "little") > parquet.FOOTER_BYTES
    assert parquet.footer(parquet.whole_tail(lambda size: data[-size:])) == ("x", leads)


def test_a_part_written_in_slices_holds_the_rows_of_all() -> None:
    sheet = parquet.TableWriter(EVERY_KIND)
    for slice_of in (rows()[:1], [], rows()[1:]):
        sheet.append(EVERY_KIND.from_rows(slice_of))
    data = sheet.close("x").data
    assert sheet.rows == len(rows())
    assert parquet.decode(data).equals(EVERY_KIND.from_rows(rows()))
    assert parquet.footer(data) == ("x", len(rows()))


def test_a_little_of_a_part_is_read_without_the_rest() -> None:
    one, *more = rows()
    sheet = parquet.TableWriter(EVERY_KIND)
    for slice_of in ([one], more):  # two row groups
        sheet.append(EVERY_KIND.from_rows(slice_of))
    part, whole = parquet.Rows(sheet.close("x").data), EVERY_KIND.from_rows(rows())
    assert part.num_rows == whole.num_rows
    first = EVERY_KIND.names[:1]
    assert part.select(first).to_pylist() == whole.select(first).to_pylist()
    assert [row for batch in part.batches(first) for row in batch.to_pylist()] == whole.select(first).to_pylist()
    for row in range(whole.num_rows):
        assert part.slice(row, 1).to_pylist() == whole.slice(row, 1).to_pylist()
    with pytest.raises(IndexError):
        part.slice(whole.num_rows, 1)


@pytest.mark.parametrize("table", [EVERY_KIND, *ECG.all_tables], ids=lambda table: table.name)
def test_duckdb_reads_every_column_of_every_table(table: Table, tmp_path: Path) -> None:
    values = {column.kind: rows()[0][column.name] for column in EVERY_KIND.columns}
    row = {column.name: values[column.kind] for column in table.columns}
    later = {name: value + timedelta(days=1) if name == "at" else value for name, value in row.items()}
    file = tmp_path / "part-00000.parquet"
    file.write_bytes(parquet.encode(table, table.from_rows([row, later]), "x"))
    with duckdb.connect(config={"threads": 1, "memory_limit": "500MB"}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute("SELECT * FROM read_parquet(?)", [str(file)]).fetchall()
        types = {
            name: kind
            for name, kind, *_ in connection.execute(
                "DESCRIBE SELECT * FROM read_parquet(?)", [str(file)]
            ).fetchall()
        }
    assert [dict(zip(table.names, values, strict=True)) for values in found] == [row, later]
    sql = {"string": "VARCHAR", "int32": "INTEGER", "int64": "BIGINT", "float64": "DOUBLE", "bool": "BOOLEAN"}
    sql |= {"timestamp": "TIMESTAMP WITH TIME ZONE", "list<string>": "VARCHAR[]"}
    sql |= {"list<int32>": "INTEGER[]", "list<float64>": "DOUBLE[]"}
    assert types == {column.name: sql[column.kind] for column in table.columns}
