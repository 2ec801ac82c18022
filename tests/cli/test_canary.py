"""One person in every text of every format: she is in the raw bucket and in the restricted one, and nowhere else.

The files go through real runs of Dagster, their alerts to Slack, and then everything that anybody can read is
searched: both ends of every table's bytes, the store of Dagster, logs, messages, pictures, what commands print.
"""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from dagster import DagsterInstance
from dagster._serdes import serialize_value

from pipeline_assets.build import build_defs
from resources.alerting.delivery import deliver
from resources.alerting.outbox import Outbox
from resources.alerting.slack import SlackAlerts
from resources.build import build_resources
from resources.catalog import connect
from resources.lake_store import LakeStore
from resources.settings import Settings
from tests.canary import NAME, traces, traces_in_bytes, traces_in_parquet
from tests.canary_records import ODD, VISITS, canary_records
from tests.cli.conftest import Vitalake
from tests.slack_server import OK, slack_server
from tests.vitalake.ecg.canary_files import canary_files
from vitalake.datasets.declared import DATASETS
from vitalake.serving.catalog import names_people

# What everybody sees as it arrived: docs/operations.md says why. The files here name nobody in these.
BY_DESIGN = {
    "source_key": "keys are published",
    "companion_keys": "keys are published",
    "device_id": "keys are published",
    "device_model": "models are as many as devices",
    "lead_name": "names of signals, by an allow-list",
    "lead_names": "names of signals, by an allow-list",
    "label": "codes of diagnoses",
    "subject_id": "a pseudonym",
    "patient_id": "scans and names are joined by it",
    "diagnosis": "nobody refuses a scan for an odd diagnosis",
    "name": "the tables are about businesses",
    "source_id": "the tables are about businesses",
    "canonical_id": "the tables are about businesses",
    "industry": "the tables are about businesses",
    "attributes": "paths that a mapping lists as open",
    "export_id": "letters, digits and what joins them",
    "data_version": "letters, digits and what joins them",
    "record_text": "of datasets that are about nobody",
}

pytestmark = [pytest.mark.store, pytest.mark.usefixtures("no_proxy")]
DAY, ALL_BAD_DAY = "2025-03-02", "2025-03-03"
PEOPLE = (*DATASETS, VISITS, ODD)
ROOT = Path(__file__).resolve().parents[2]
LOG = logging.getLogger("test")
_PICTURE = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]+)")


def test_a_trace_is_found_wherever_it_is() -> None:
    """The search itself, without which nothing found means nothing."""
    for said in (
        NAME,
        NAME.upper(),
        "x.Zyqhvut_1",
        "19511202",
        "2.12.1951 02-DEC-1951",
        "655,551,234",
        "7,734,921",
    ):
        assert traces(said)
        assert traces_in_bytes(b"\0\1" + said.encode() + b"\0")
        assert traces_in_bytes(said.encode("utf-16"))
    assert traces_in_bytes(NAME[:7].lower().encode().hex().encode())
    assert not traces("val (1 x 3,600 int16) of 2026-11-20, 1951 samples, 655 of 7,734")


def test_what_everybody_sees_by_design_is_listed_in_the_docs() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    listed = page.partition("## What names nobody, and what may")[2].partition("\n## ")[0]
    assert [column for column in BY_DESIGN if not re.search(rf"[`.]{column}`", listed)] == []


@pytest.mark.timeout(900)
def test_she_is_in_the_raw_bucket_and_in_the_restricted_one_and_nowhere_else(
    settings: Settings,
    home: Path,  # noqa: ARG001 - its `env` is what commands read
    vitalake: Vitalake,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    upload(settings)
    (tmp_path / "dagster").mkdir()
    caplog.clear()  # the maker of DICOM files warns about its own
    caplog.set_level(logging.DEBUG)
    with DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance:
        built, events = build_everything(settings, instance)
    assert built == {name: name not in ("odd", "bad") for name in built}
    posts = told_to_slack(settings)
    printed = capsys.readouterr()
    buckets = {name: objects(settings, name) for name in (settings.lake_bucket, settings.restricted_bucket)}

    # She did arrive, and is where she may be.
    assert any(traces_of(key, data) for key, data in buckets[settings.restricted_bucket].items())
    found = {key: traces_of(key, data) for key, data in buckets[settings.lake_bucket].items()}
    for folder in (tmp_path / "dagster", settings.home):
        found |= {str(path): traces_in_bytes(path.read_bytes()) for path in folder.rglob("*") if path.is_file()}
    pictures = [base64.b64decode(data) for data in _PICTURE.findall(events)]
    found |= {f"picture {number}": traces_in_bytes(data) for number, data in enumerate(pictures)}
    found |= {"events": traces(_PICTURE.sub("", events))}
    found |= {
        "Slack": traces(json.dumps(posts, ensure_ascii=False)),
        "logs": [line for line in caplog.text.splitlines() if traces(line)],
    }
    found |= {"output": traces(printed.out), "errors": traces(printed.err)}
    found |= dict(shown_by_commands(vitalake))
    found |= dict(seen_in_sql(settings))
    assert {place: said for place, said in found.items() if said} == {}

    # And there was something to find her in.
    assert pictures
    assert len(posts) >= 4
    assert "a defect of the reader (ValueError)" in caplog.text
    assert any("quarantine/" in key for key in buckets[settings.lake_bucket])


def upload(settings: Settings) -> None:
    """Every file on one day, with enough good ones that nothing is stopped; bad ones of ECG alone on another."""
    client = boto3_client(settings)
    ecg = canary_files()
    files = {f"ecg/date={DAY}/{key}": data for key, data in ecg.items()}
    files |= {f"ecg/date={DAY}/more/{number}.mat": ecg[f"matlab/{number % 4}.mat"] for number in range(70)}
    files |= {f"ecg/date={ALL_BAD_DAY}/{key}": data for key, data in ecg.items() if key.startswith("other/")}
    for key, data in canary_records().items():
        dataset, _, rest = key.partition("/")
        files[f"{dataset}/date={DAY}/{rest}"] = data
        if rest in ("0.json", "0.csv", "1.json"):
            files |= {f"{dataset}/date={DAY}/more/{number}-{rest}": data for number in range(10)}
    for key, data in files.items():
        client.put_object(Bucket=settings.raw_bucket, Key=key, Body=data)


def build_everything(settings: Settings, instance: DagsterInstance) -> tuple[dict[str, bool], str]:
    """Run what the sensors would ask for; by dataset, whether its day was built, and every event of all runs."""
    restricted = {table.name for dataset in PEOPLE for table in dataset.every_table if table.restricted}
    defs = build_defs(
        settings,
        datasets=PEOPLE,
        resources=replace(build_resources(settings), lake=LakeStore(settings, restricted)),
    )
    days = {name: ("ecg_job", ALL_BAD_DAY) if name == "bad" else (f"{name}_job", DAY)
            for name in ("ecg", "retina", "visits", "odd", "entities", "bad")}  # fmt: skip
    results = {
        name: defs.resolve_job_def(job).execute_in_process(
            instance=instance, partition_key=day, raise_on_error=False
        )
        for name, (job, day) in days.items()
    }
    for name in ("retina_all_days", "entities_all_days", "trends"):
        job = defs.resolve_job_def(f"{name}_job")
        results[name] = job.execute_in_process(instance=instance, raise_on_error=False)
    events = "\n".join(serialize_value(event) for result in results.values() for event in result.all_events)
    return {name: result.success for name, result in results.items()}, events


def told_to_slack(settings: Settings) -> list[object]:
    """What is posted until nothing is left to tell."""
    from resources.build import lake_store

    outbox = Outbox(lake_store(settings))
    with slack_server(OK) as server:
        slack = SlackAlerts(token="xoxb-secret", channel="#health", base_url=server.url, timeout_s=60)
        while outbox.pending() and deliver(outbox, slack, LOG).sent:
            pass
        return [*server.posts]


def boto3_client(settings: Settings) -> Any:
    assert settings.aws_secret_access_key is not None
    return boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name=settings.aws_region,
        aws_access_key_id=settings.aws_access_key_id,
        aws_secret_access_key=settings.aws_secret_access_key.get_secret_value(),
    )


def objects(settings: Settings, bucket: str) -> dict[str, bytes]:
    """Everything in a bucket."""
    client = boto3_client(settings)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
    return {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def traces_of(key: str, data: bytes) -> list[str]:
    return traces(key) + (traces_in_parquet(data) if key.endswith(".parquet") else traces_in_bytes(data))


def shown_by_commands(vitalake: Vitalake) -> Iterator[tuple[str, list[str]]]:
    """What the commands print that show what was refused."""
    keys = []
    for form in ("table", "csv", "json"):
        answer = vitalake("quarantine", "list", "--format", form, "--limit", "1000000")
        assert answer.code == 0, answer.err
        yield f"quarantine list --format {form}", traces(answer.out + answer.err)
        if form == "json":
            keys = sorted({row["source_key"] for row in json.loads(answer.out)})
    assert len(keys) > 50
    # One of each folder: what is shown of the others is in the lists above.
    for key in {key.rpartition("/")[0]: key for key in keys if not key.startswith(("visits/", "odd/"))}.values():
        answer = vitalake("quarantine", "show", key)
        assert answer.code == 0, answer.err
        yield f"quarantine show {key}", traces(answer.out + answer.err)


def seen_in_sql(settings: Settings) -> Iterator[tuple[str, list[str]]]:
    """Every view that everybody may ask, in full, but for samples."""
    with connect(settings) as connection:
        views = [
            name
            for (name,) in connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
        ]
        texts = 0
        for view in views:
            if names_people(view, PEOPLE):
                continue
            columns = connection.execute(f'DESCRIBE "{view}"').fetchall()
            named = [name for name, kind, *_ in columns if kind.startswith("VARCHAR")]
            listed = ", ".join(f'"{name}"::VARCHAR' for name in named)
            rows = connection.execute(f'SELECT {listed} FROM "{view}"').fetchall()  # noqa: S608
            texts += len(rows)
            yield f"view {view}", sorted({trace for row in rows for trace in traces(str(row))})
        assert texts > 1000
