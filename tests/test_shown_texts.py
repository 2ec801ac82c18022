"""Every place where people read what others wrote, each with every hostile text: nothing there obeys it.

Belongs here: one test a place, on the real place. Does not belong here: single escapes
(`tests/vitalake/test_escaping.py`), a browser (`tests/system/test_hostile_pages.py`).
"""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from dagster import DagsterInstance

from pipeline_assets.build import build_defs
from resources.alerting.delivery import deliver
from resources.alerting.outbox import Outbox
from resources.alerting.slack import SlackAlerts
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.hostile_lake import DAY, put_hostile, s3
from tests.hostile_texts import BAIT, HOSTILE, UNSEEN
from tests.pipeline_assets.running import is_picture
from tests.slack_server import OK, slack_server
from tests.terminal import ROOT, on_terminal
from vitalake.alerting.alerts import quarantined
from vitalake.ecg.pictures.ecg_grid import DrawnStrip
from vitalake.ecg.pictures.report_page import report_page_png
from vitalake.ecg.pictures.strip_rows import strips_png

pytestmark = pytest.mark.timeout(600)
BAITS = (BAIT, "evil.com")


def run_days(settings: Settings, instance: DagsterInstance) -> None:
    """The day of both datasets, as Dagster runs it."""
    for dataset in ("ecg", "pricing"):
        job = build_defs(settings).resolve_job_def(f"{dataset}_job")
        job.execute_in_process(instance=instance, partition_key=DAY, raise_on_error=False)


@pytest.fixture
def hostile(settings: Settings, home: Path) -> Iterator[DagsterInstance]:  # noqa: ARG001 (the lake is below it)
    """An instance that has built a hostile day, its lake in `home`."""
    put_hostile(settings)
    with DagsterInstance.ephemeral() as instance:
        run_days(settings, instance)
        yield instance


def test_dagster_is_given_markdown_of_pictures_only_and_words_of_ours(
    settings: Settings, raw: ObjectStore, hostile: DagsterInstance
) -> None:
    for item in raw.objects("ecg/")[:25]:
        s3(settings).delete_object(Bucket=settings.raw_bucket, Key=item.key)
    run_days(settings, hostile)  # so that there are keys of what has vanished
    shown, kinds = 0, set()
    for run in hostile.get_runs():
        for entry in hostile.all_logs(run.run_id):
            event = entry.dagster_event
            data = event.event_specific_data if event else None
            for part in (data, getattr(data, "materialization", None)):
                for name, value in (getattr(part, "metadata", None) or {}).items():
                    kinds.add(type(value).__name__)
                    shown += BAIT in str(value.value)
                    assert not UNSEEN.search(name)
                    if type(value).__name__ == "MarkdownMetadataValue":
                        assert is_picture(value.value), value.value[:200]
                description = getattr(part, "description", None)
                assert not description or not any(bait in description for bait in BAITS), description
            if event is None:  # a line of the log, in which Dagster makes links
                assert not any(bait in entry.user_message for bait in BAITS), entry.user_message
                assert not UNSEEN.search(entry.user_message.replace("\n", ""))
    assert {"MarkdownMetadataValue", "JsonMetadataValue"} <= kinds
    assert shown, "nothing hostile was shown: this test sees nothing"


@pytest.mark.usefixtures("hostile", "no_proxy")
def test_slack_and_the_log_get_plain_text(outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("alerts")
    with slack_server(OK) as server:
        deliver(outbox, SlackAlerts(token="xoxb-x", channel="#c", base_url=server.url), log)
    said = 0
    for post in server.posts:
        assert (post["parse"], post["link_names"], post["mrkdwn"]) == ("none", False, False)
        for block in post["blocks"]:
            text = block["text"]
            assert text["type"] == "plain_text" or text["text"].endswith("|Open in Dagster>")
            assert not UNSEEN.search(text["text"].replace("\n", ""))
            said += BAIT in text["text"]
            if text["type"] == "plain_text":
                assert not {"<", ">"} & set(text["text"])
        assert not UNSEEN.search(post["text"])
    assert said, "nothing hostile was told: this test sees nothing"
    outbox.add(quarantined("retina", DAY, [(text, "v1", "S02", text) for text in HOSTILE.values()], None))
    caplog.clear()
    deliver(outbox, SlackAlerts(token=None, channel=None), log)
    [told] = [record.getMessage() for record in caplog.records if record.name == "alerts"]
    assert not UNSEEN.search(told.replace("\n", ""))
    assert not [line for line in told.splitlines() if line.startswith("vitalake:")]


@pytest.mark.usefixtures("hostile")
def test_a_terminal_gets_nothing_but_text(home: Path, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    for number, text in enumerate(HOSTILE.values()):
        (files / f"{number} {text.replace('/', '_')[:80]}.mat").write_bytes(b"x")
    prices = tmp_path / f"prices {HOSTILE['colour']}.csv"
    rows = [f'{number},"{text}",m5,1' for number, text in enumerate(HOSTILE.values()) if '"' not in text]
    prices.write_text("\n".join(["ID,Region,InstanceType,Price (USD/h)", *rows, "x\x1b[31m,,,"]))
    os.mkfifo(files / "pipe \x1b[31m\x9b.mat")
    env = {"VITALAKE_HOME": str(home)}
    esc = "\x1b[31m\x9b\u202e[bold]:x:"
    pivot = "PIVOT (SELECT region, 1 AS one FROM pricing_instances) ON region USING count(*)"
    pivot += " GROUP BY one"
    everything = "SELECT region, operating_system, source_key FROM pricing_instances"
    for args in (
        *(("sql", query, "--format", form) for query in (everything, pivot) for form in ("table", "csv", "json")),
        ("sql", f"SELECT '{esc}' AS \"{esc}\", error('{esc}')"),
        ("sql", f'SELECT "{esc}"'),
        ("sql", f".schema {esc}"),
        ("sql", f".{esc}"),
        ("sql", "SELECT 1", "--format", "csv", "--output", str(tmp_path / f"x{esc}.csv")),
        *(("quarantine", "list", "--format", form) for form in ("table", "csv", "json")),
        ("quarantine", "show", ".mat"),
        ("quarantine", "show", HOSTILE["clear"] + ".mat"),
        ("quarantine", "show", "prices.csv"),
        ("quarantine", "show", esc),
        ("quarantine", "retry", esc),
        ("ecg", "show", HOSTILE["colour"] + ".mat"),
        ("ecg", "show", ".mat"),
        ("ecg", "show", esc),
        ("ecg", "show", HOSTILE["picture"] + ".mat", "--output", str(tmp_path / f"{esc}.png")),
        ("ecg", "show", HOSTILE["picture"] + ".mat", "--output", f"{esc}"),
        ("upload", str(files), "--dataset", "ecg", "--date", DAY),
        ("check", str(files), "--dataset", "ecg"),
        ("check", str(files), "--dataset", "ecg", "--json"),
        ("check", str(files), "--dataset", "ecg", "--key", f"ecg/{esc}/"),
        ("check", str(files), "--dataset", "ecg", "--picture", str(tmp_path / f"{esc}.png")),
        ("check", str(prices), "--dataset", "pricing"),
        ("check", str(prices), "--declaration", str(prices)),
        ("check", esc, "--dataset", esc),
        ("upload", esc, "--dataset", "ecg"),
        ("upload", str(files), "--dataset", "ecg", "--device", esc),
        ("upload", str(files), "--dataset", esc),
        ("backfill", esc, "--from", DAY, "--to", DAY),
        ("backfill", "ecg", "--from", esc, "--to", DAY),
        ("backfill", "ecg", "--from", DAY, "--to", DAY, "--dry-run"),
        ("ddl", "trino", "--bucket", "b"),
        ("ddl", esc),
        ("status",),
        ("status", "--format", "json"),
        (esc,),
        ("sql", f"--{esc}"),
        ("sql", "SELECT 1", esc),
    ):
        code, got = on_terminal(*args, env=env)
        assert got, args
        left = UNSEEN.search(got.replace("\r\n", ""))
        assert left is None, (shlex.join(args), code, got[max(0, left.start() - 200) : left.end() + 50])
        assert "☠" not in got  # nor are codes of emoji obeyed
        assert "Traceback" not in got, got


def test_pipes_and_files_get_values_exactly_and_spreadsheets_no_formula(home: Path, tmp_path: Path) -> None:
    import duckdb

    rows = list(HOSTILE.values())
    with duckdb.connect(str(home / "lake.duckdb")) as connection:
        connection.execute("CREATE TABLE texts (n INTEGER, text VARCHAR, number DOUBLE, list VARCHAR[])")
        for number, text in enumerate(rows):
            connection.execute("INSERT INTO texts VALUES (?, ?, ?, ?)", [number, text, -number - 0.5, [text]])
    query = 'SELECT text AS "=1", number, list FROM texts ORDER BY n'

    def run(*args: str) -> tuple[str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", "sql", query, *args],
            cwd=ROOT,
            env=os.environ | {"VITALAKE_HOME": str(home), "PYTHONUTF8": "1"},
            capture_output=True,
            timeout=120,
            check=True,
        )
        return done.stdout.decode(), done.stderr.decode()

    said, _ = run("--format", "json")
    assert [row["=1"] for row in json.loads(said)] == rows
    assert not UNSEEN.search(said.replace("\n", ""))
    with pytest.raises(subprocess.CalledProcessError):  # what it is about is csv only
        run("--format", "json", "--exact")
    path = tmp_path / "texts.csv"
    for exact in (False, True):
        args = ["--format", "csv", *(["--exact"] if exact else [])]
        said, trouble = run(*args)
        run(*args, "--output", str(path))
        assert path.read_bytes().decode() == said
        head, *cells = csv.reader(io.StringIO(said, newline=""))
        assert [float(row[1]) for row in cells] == [-number - 0.5 for number in range(len(rows))]
        if exact:
            assert (head[0], [row[0] for row in cells], trouble) == ("=1", rows, "")
            continue
        assert head[0] == "'=1"
        assert "--exact" in trouble
        for row, text in zip(cells, rows, strict=True):
            assert not row[0].lstrip(" \t\"'\r").startswith(tuple("=+-@＝")) or row[0].startswith("'")
            assert row[0] == text or "'" in row[0]


@pytest.mark.filterwarnings("error")  # a glyph that the font lacks is a warning
def test_figures_draw_every_text_as_text() -> None:
    time = np.sin(np.arange(3600) / 50)
    for text in (*HOSTILE.values(), "\ud800", "x" * 100_000):
        strip = DrawnStrip(text, time, 360.0, "acceptable", (), text)
        for png in (strips_png([strip]), report_page_png(text, [text], "acceptable", (), [strip], [])):
            assert png.startswith(b"\x89PNG")
    title = DrawnStrip("a\nb", time, 360.0, "acceptable")
    assert strips_png([title]) == strips_png([DrawnStrip("a\\nb", time, 360.0, "acceptable")])
