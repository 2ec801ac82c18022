"""One run of one day in a process of its own, as Dagster's launcher starts it: code location, job, every check.

python -m benchmarks.one_run DAY    (settings from the environment; Dagster's storage is a temporary folder)
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from resources.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[1]


def run_day(settings: Settings, day: str, home: Path) -> None:
    """Start it and wait; Dagster remembers in `home`.

    Raises:
        subprocess.CalledProcessError: the run failed.
    """
    assert settings.s3_endpoint and settings.aws_access_key_id and settings.aws_secret_access_key
    assert settings.pseudonym_key
    env = os.environ | {
        "VITALAKE_HOME": str(home),
        "VITALAKE_S3_ENDPOINT": settings.s3_endpoint,
        "VITALAKE_RAW_BUCKET": settings.raw_bucket,
        "VITALAKE_LAKE_BUCKET": settings.lake_bucket,
        "VITALAKE_RESTRICTED_BUCKET": settings.restricted_bucket,
        "VITALAKE_PSEUDONYM_KEY": settings.pseudonym_key.get_secret_value(),
        "AWS_ACCESS_KEY_ID": settings.aws_access_key_id,
        "AWS_SECRET_ACCESS_KEY": settings.aws_secret_access_key.get_secret_value(),
    }
    argv = [sys.executable, "-m", "benchmarks.one_run", day]
    subprocess.run(argv, env=env, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def _run(day: str) -> bool:
    from dagster import DagsterInstance

    from definitions import defs

    logging.disable(logging.INFO)
    settings = load_settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    quiet = {"telemetry": {"enabled": False}}
    with tempfile.TemporaryDirectory() as storage, DagsterInstance.local_temp(storage, quiet) as instance:
        job = defs.resolve_job_def("ecg_job")
        return job.execute_in_process(instance=instance, partition_key=day).success


if __name__ == "__main__":
    sys.exit(0 if _run(sys.argv[1]) else 1)
