"""A notebook's loop: one recording at a time, read and measured with the usual libraries.

Belongs here: the loop, and running it in an environment that has them. Does not belong here: their accuracy
(`benchmarks/quality/`).

`wfdb` reads no bare MATLAB file, so scipy reads it, as notebooks do; NeuroKit2 cleans, finds R peaks, judges
quality and computes the variability; pandas keeps the rows. That is about what our tables hold.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
_ENVIRONMENT = ROOT / ".venv-bench" / "bin" / "python"
_RATE_HZ = 360
_RESULT = "loop.parquet"


class Looped(NamedTuple):
    """Ms of CPU a recording, after a first one to warm up, and what it found: `beats` and `rmssd` (ms) of each."""

    ms: float
    rows: list[dict[str, Any]]


def loop(files: Sequence[bytes]) -> Looped | None:
    """Two recordings at least; None where no environment has NeuroKit2."""
    python = str(_ENVIRONMENT) if _ENVIRONMENT.exists() else sys.executable
    if subprocess.run([python, "-c", "import neurokit2"], check=False, capture_output=True).returncode:
        return None
    from vitalake.lake.parquet import decode

    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate(files):
            (Path(folder) / f"{number:05d}.mat").write_bytes(data)
        argv = [python, "-W", "ignore", "-m", "benchmarks.peers.loop", folder]
        done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=ROOT)
        rows = decode((Path(folder) / _RESULT).read_bytes()).to_pylist()
    return Looped(float(done.stdout.split()[-1]), rows)


def _loop(folder: Path) -> float:
    import time

    import neurokit2 as nk
    import pandas as pd
    import scipy.io

    paths = sorted(folder.glob("*.mat"))
    rows = []
    started = 0.0
    for number, path in enumerate(paths):
        if number == 1:
            started = time.process_time()
        lead = (scipy.io.loadmat(path)["val"][0].astype(float) - 1024) / 200
        clean = nk.ecg_clean(lead, sampling_rate=_RATE_HZ)
        _, found = nk.ecg_peaks(clean, sampling_rate=_RATE_HZ)
        peaks = found["ECG_R_Peaks"]
        quality = nk.ecg_quality(clean, rpeaks=peaks, sampling_rate=_RATE_HZ, method="zhao2018")
        hrv = nk.hrv_time(peaks, sampling_rate=_RATE_HZ)
        rows.append({"file": path.name, "quality": quality, "beats": len(peaks), "rmssd": hrv["HRV_RMSSD"].iloc[0]})
    pd.DataFrame(rows).to_parquet(folder / _RESULT)
    return (time.process_time() - started) / (len(paths) - 1) * 1e3


if __name__ == "__main__":
    print(_loop(Path(sys.argv[1])))
