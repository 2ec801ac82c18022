"""Days or hours built again through Dagster: launched as a backfill of the dataset's job, followed to the end.

Belongs here: the questions to Dagster and the progress shown. Does not belong here: which ones, and asking for
consent (`cli/backfill.py`, `cli/quarantine/command.py`).

A backfill of the job rather than of its assets: each partition is one run of `<dataset>_job`, with the job's tags,
by which the sensor sees that it is under way, and with its hooks, which raise alerts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from cli.reachable import ask
from vitalake.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console

    from vitalake.arrivals.calendar import Partition
    from vitalake.lake.dataset import Dataset

_LOCATION = {"repositoryLocationName": "vitalake", "repositoryName": "__repository__"}
_LAUNCH = """mutation ($params: LaunchBackfillParams!) {launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess {backfillId} ... on Error {message}}}"""
_PROGRESS = """query ($id: String!) {partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill {status error {message} partitionStatusCounts {runStatus count}}
    ... on Error {message}}}"""
_RESULT = """query ($id: String!) {partitionBackfillOrError(backfillId: $id) {
    ... on PartitionBackfill {partitionStatuses {results {partitionName runId runStatus}}}}}"""
_LAST_RUNS = """query ($filter: RunsFilter, $limit: Int) {runsOrError(filter: $filter, limit: $limit) {
    ... on Runs {results {runId status jobName creationTime startTime endTime tags {key value}}}}}"""
_RUN_TAGS = """query ($filter: RunsFilter, $limit: Int) {runsOrError(filter: $filter, limit: $limit) {
    ... on Runs {results {tags {key value}}}}}"""
_ENDED = ("SUCCESS", "FAILURE", "CANCELED")
_UNDER_WAY = ("REQUESTED", "CANCELING", "FAILING")
_POLL_S = 1.0
_SILENCE_S = 60.0


@dataclass(frozen=True)
class PartitionRun:
    """How the last run of a partition ended; no run where none was started."""

    partition: str
    run_id: str | None
    status: str


class Show(Protocol):
    """Told how many are done, and how many failed."""

    def __call__(self, done: int, failed: int) -> None:
        """Show it."""


def rebuild(url: str, dataset: Dataset, partitions: Sequence[Partition], console: Console, *, wait: bool) -> bool:
    """Build these again; whether all of them were built, or were launched where nobody waits.

    Raises:
        PermanentError: Dagster refuses, or gave the backfill up.
        TransientError: Dagster does not answer; what it does goes on without us.
    """
    backfill = launch(url, dataset, partitions)
    link = f"{url}/runs/b/{backfill}"
    console.print(f"Backfill {backfill}: {link}")
    if not wait:
        return True
    try:
        results = follow(url, backfill, len(partitions), f"{dataset.partition}s", console)
    except (KeyboardInterrupt, TransientError):
        console.print(f"The backfill goes on without this command; follow or cancel it at {link}")
        raise
    failed = [run for run in results if run.status != "SUCCESS"]
    built, units = len(results) - len(failed), f"{dataset.partition}s"
    console.print(f"{built:,} of {len(partitions):,} {units} built, {len(failed):,} failed")
    for run in failed:
        where = f"{url}/runs/{run.run_id}" if run.run_id else "no run was started"
        console.print(f"  {run.partition}  {run.status.lower()}  {where}")
    return not failed and len(results) == len(partitions)


def launch(url: str, dataset: Dataset, partitions: Sequence[Partition]) -> str:
    """Request one run for each; the backfill's id."""
    params = {
        "selector": {"partitionSetName": f"{dataset.name}_job_partition_set", "repositorySelector": _LOCATION},
        "partitionNames": [str(each) for each in partitions],
        "title": f"vitalake: {len(partitions)} {dataset.partition}s of {dataset.name}",
    }
    answer = ask(url, _LAUNCH, params=params)["launchPartitionBackfill"]
    if "backfillId" not in answer:
        raise PermanentError(f"Dagster refused the backfill: {answer.get('message') or answer['__typename']}")
    return str(answer["backfillId"])


def follow(url: str, backfill: str, total: int, units: str, console: Console) -> list[PartitionRun]:
    """Show progress until the backfill has ended; the last run of each of the `units` (days or hours)."""
    with _progress(console, total, units) as show:
        before: dict[str, int] | None = None
        shown = (-1, -1)
        changed_at = heard_at = time.monotonic()
        hinted = False
        while True:
            try:
                state = ask(url, _PROGRESS, id=backfill)["partitionBackfillOrError"]
                if "status" not in state:
                    raise PermanentError(f"Dagster lost the backfill {backfill}: {state.get('message')}")
                counts = {item["runStatus"]: item["count"] for item in state["partitionStatusCounts"]}
                ended = state["status"] not in _UNDER_WAY or counts.get("SUCCESS", 0) == total
                results = _results(url, backfill) if ended else []
                # To Dagster a backfill has ended when every run has; one that was killed is repeated after that.
                ended = ended and not any(run.run_id and run.status not in _ENDED for run in results)
                repeated = ended and _will_be_repeated(url, results)
                heard_at = time.monotonic()
            except TransientError:  # a web server that restarts is back within seconds
                if time.monotonic() - heard_at > _SILENCE_S:
                    raise
                time.sleep(_POLL_S)
                continue
            if counts != before:
                before, changed_at, hinted = counts, time.monotonic(), False
                now = (counts.get("SUCCESS", 0), counts.get("FAILURE", 0) + counts.get("CANCELED", 0))
                if now != shown:
                    shown = now
                    show(*now)
            if ended and not (repeated and time.monotonic() - changed_at < _SILENCE_S):
                break
            if not hinted and time.monotonic() - changed_at > _SILENCE_S:
                hinted = True
                console.print(f"nothing has moved for {_SILENCE_S:.0f} s; `vitalake status` says what runs")
            time.sleep(_POLL_S)
    if state["error"]:
        raise PermanentError(f"Dagster gave the backfill {backfill} up: {state['error']['message'].strip()}")
    return results


def _results(url: str, backfill: str) -> list[PartitionRun]:
    found = ask(url, _RESULT, id=backfill)["partitionBackfillOrError"]["partitionStatuses"]["results"]
    return [PartitionRun(item["partitionName"], item["runId"], item["runStatus"]) for item in found]


def _will_be_repeated(url: str, results: list[PartitionRun]) -> bool:
    """Whether Dagster is about to start one of the failed runs again."""
    failed = [run.run_id for run in results if run.status == "FAILURE"]
    if not failed:
        return False
    runs = ask(url, _RUN_TAGS, filter={"runIds": failed}, limit=len(failed))["runsOrError"]["results"]
    return any({"key": "dagster/will_retry", "value": "true"} in run["tags"] for run in runs)


def last_runs(url: str, limit: int, job: str | None = None, partition: str | None = None) -> list[dict[str, Any]]:
    """The newest runs, of a job and a partition if wanted: run_id, job, partition, status, began_at, ended_at."""
    chosen: dict[str, Any] = {"pipelineName": job} if job else {}
    if partition:
        chosen["tags"] = [{"key": "dagster/partition", "value": partition}]
    found = ask(url, _LAST_RUNS, filter=chosen, limit=limit)["runsOrError"]["results"]
    return [
        {
            "run_id": run["runId"],
            "job": run["jobName"],
            "partition": next((tag["value"] for tag in run["tags"] if tag["key"] == "dagster/partition"), None),
            "status": run["status"],
            "began_at": _time(run["startTime"] or run["creationTime"]),
            "ended_at": _time(run["endTime"]),
            "link": f"{url}/runs/{run['runId']}",
        }
        for run in found
    ]


def runs_under_way(url: str) -> int:
    """How many runs have not ended, of the newest hundred."""
    return sum(run["status"] not in _ENDED for run in last_runs(url.rstrip("/"), 100))


def _time(seconds: float | None) -> datetime | None:
    from datetime import datetime, timezone

    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)


@contextmanager
def _progress(console: Console, total: int, units: str) -> Iterator[Show]:
    from rich import progress as bars

    if not console.is_terminal:
        yield lambda done, failed: console.print(f"{done:,} of {total:,} {units} built, {failed:,} failed")
        return
    columns = (
        bars.SpinnerColumn(),
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TimeElapsedColumn(),
    )
    with bars.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("waiting for the first run", total=total)

        def show(done: int, failed: int) -> None:
            text = f"{done:,} of {total:,} {units} built" + (f", {failed:,} failed" if failed else "")
            bar.update(task, completed=done + failed, description=text)

        yield show
