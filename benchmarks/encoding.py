"""Parquet encodings of integer samples: time to write, bytes, time for DuckDB to read (docs/adr/0002).

python -m benchmarks.encoding
"""

from __future__ import annotations

import io
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.figures import line, report
from cli.demo.recordings import stored, strip_mv

ELEMENT = "samples.list.element"
ENCODINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "dictionary": {"use_dictionary": True},
    "delta binary packed": {"column_encoding": {ELEMENT: "DELTA_BINARY_PACKED"}},
    "byte-stream split": {"column_encoding": {ELEMENT: "BYTE_STREAM_SPLIT"}},
}


def main() -> None:
    """Each encoding over the same 400 generated strips, the best of three."""
    rng = np.random.default_rng(date(2026, 1, 1).toordinal())
    strips = [stored(strip_mv("clean", rng)).ravel() for _ in range(400)]
    table = pa.table({"samples": pa.array(strips, type=pa.list_(pa.int32()))})
    for name, options in ENCODINGS.items():
        writes, reads = [], []
        for _ in range(3):
            sink = io.BytesIO()
            started = time.process_time()
            settings = {"compression": "zstd", "compression_level": 3, "use_dictionary": False, **options}
            pq.write_table(table, sink, **settings)
            writes.append(time.process_time() - started)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "part.parquet"
            path.write_bytes(sink.getvalue())
            try:
                for _ in range(3):
                    started = time.process_time()
                    duckdb.read_parquet(str(path)).sum("list_sum(samples)").fetchall()
                    reads.append(time.process_time() - started)
            except duckdb.Error as error:
                print(f"{name}: DuckDB refuses it: {error}")
        per_strip = 1e3 / len(strips)
        report([line(f"encoding_write: {name}", min(writes) * per_strip, "ms/strip")])
        report([line(f"encoding_size: {name}", len(sink.getvalue()) / len(strips), "B/strip")])
        report(line(f"encoding_read: {name}", min(reads) * per_strip, "ms/strip") for _ in reads[:1])


if __name__ == "__main__":
    main()
