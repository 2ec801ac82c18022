"""Definitions for tests of processes: an asset that works until a file appears, and says in which process."""

import os
import time
from pathlib import Path

import dagster as dg


@dg.asset
def slow(context: dg.AssetExecutionContext) -> None:
    folder = Path(os.environ["VITALAKE_HOME"])
    draft = folder / f"draft-{context.run_id}"
    draft.write_text(str(os.getpid()))
    draft.rename(folder / f"begun-{context.run_id}")
    while not (folder / "finish").exists():
        time.sleep(0.05)


defs = dg.Definitions(
    assets=[slow],
    jobs=[dg.define_asset_job("slow_job", selection="slow", executor_def=dg.in_process_executor)],
)
