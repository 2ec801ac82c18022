"""The ECG job as Dagster runs it, on a real store: real recordings, and every broken file there is."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from dagster import AssetKey, DagsterInstance, TableSchema

from pipeline_assets.build import build_defs
from resources.build import build_resources
from resources.object_store import ObjectStore
from resources.settings import Settings
from tests.pipeline_assets.running import DAY, checks, is_picture, materialized, rows, run_day, upload_all
from tests.vitalake.ecg.broken_files import broken_files
from tests.vitalake.ecg.matlab_files import strip, v4_file
from tests.vitalake.ecg.reading import read
from tests.vitalake.lake.watched_store import WatchedStore
from tests.vitalake.notes import contents
from vitalake.datasets.ecg import ECG
from vitalake.errors import UnusableDataError

pytestmark = pytest.mark.store
NASTY = ["a b", "p+q", "100%", "p%20q", "ÅÄÖ é", "quote'\"s", "(1) [x] {y}", "tab\tkey", "semi;colon", "心電図"]


@pytest.mark.data
def test_real_recordings_arrive_whole_and_a_second_run_writes_nothing(
    settings: Settings, raw: ObjectStore, store: ObjectStore, instance: DagsterInstance, data_dir: Path
) -> None:
    folder = data_dir / "plawiak" / "MLII"
    files = sorted(folder.rglob("*.mat"))
    keys = upload_all(raw, [(f"MLII/{file.relative_to(folder)}", file.read_bytes()) for file in files])
    assert len(keys) == 398
    first = run_day(settings, instance)
    assert first.success

    recordings = rows(store, "ecg_recordings")
    assert sorted(row["source_key"] for row in recordings) == sorted(keys)
    assert rows(store, "ecg_quarantine") == []
    assert len({row["recording_id"] for row in recordings}) == 398
    repeated = [name for name, number in Counter(file.name for file in files).items() if number > 1]
    assert len(repeated) == 42  # names that several folders have
    folders = Counter(file.parent.name.split(" ")[1] for file in files)
    assert len(folders) == 17
    assert Counter(row["label"] for row in recordings) == folders
    assert "unacceptable" not in {row["verdict"] for row in recordings}
    for name in ("ecg_signals", "ecg_features"):
        assert sorted(row["source_key"] for row in rows(store, name)) == sorted(keys)
    duplicates = checks(first)["duplicates"]
    assert (duplicates.passed, duplicates.metadata["bad"].value) == (False, 3)
    pairs = duplicates.metadata["details"].value
    assert isinstance(pairs, dict)
    assert sorted(key.rpartition("/")[2] for key in pairs) == ["115m (7).mat", "118m (5).mat", "209m (21).mat"]

    stored = contents(store, ECG.all_tables)
    watched = WatchedStore(store)
    second = run_day(settings, instance, replace(build_resources(settings), lake=cast("ObjectStore", watched)))
    assert second.success
    assert (watched.writes, watched.deletions) == ([], [])
    outcomes = {name: metadata["outcome"] for name, metadata in materialized(second).items()}
    assert outcomes == dict.fromkeys(["lake", *(table.name for table in ECG.all_tables)], "unchanged")
    assert contents(store, ECG.all_tables) == stored


def refusal(data: bytes) -> tuple[str, str]:
    """Rule and message that the reader itself gives."""
    with pytest.raises(UnusableDataError) as refused:
        read(data)
    return refused.value.rule, refused.value.message


def test_every_broken_file_has_its_row_in_quarantine_and_the_good_ones_go_through(
    settings: Settings, raw: ObjectStore, store: ObjectStore, instance: DagsterInstance
) -> None:
    broken = {f"broken/{file.name}": file for file in broken_files()}
    good = [f"good/{name}.mat" for name in (*NASTY, *map(str, range(len(broken) + len(NASTY))))]
    nasty = [f"broken/{name}.mat" for name in NASTY]
    upload_all(raw, [(name, file.data) for name, file in broken.items()])
    upload_all(raw, [("broken/huge.mat", bytes(100 * 2**20))])
    upload_all(raw, [(name, b"no recording") for name in nasty])
    upload_all(raw, [(name, v4_file(strip() + number % 50)) for number, name in enumerate(good)])
    assert run_day(settings, instance).success

    prefix = f"ecg/date={DAY}/"
    found = {row["source_key"]: (row["rule"], row["message"]) for row in rows(store, "ecg_quarantine")}
    expected = {prefix + name: refusal(file.data) for name, file in broken.items()}
    expected |= {prefix + name: refusal(b"no recording") for name in nasty}
    expected[f"{prefix}broken/empty.mat"] = ("S01", "the object is empty (0 bytes)")
    expected[f"{prefix}broken/huge.mat"] = ("S01", "the object has 104,857,600 bytes; the limit is 67,108,864")
    assert found == expected
    assert len(rows(store, "ecg_quarantine")) == len(expected)  # one row each
    assert {name: found[prefix + name][0] for name in broken} == {name: file.rule for name, file in broken.items()}
    assert all(message for _rule, message in found.values())
    assert sorted(row["source_key"] for row in rows(store, "ecg_recordings")) == sorted(
        prefix + name for name in good
    )
    assert len(rows(store, "raw_ecg")) == len(good) + len(expected)


def test_a_materialization_shows_counts_columns_and_a_picture(
    settings: Settings, raw: ObjectStore, store: ObjectStore, instance: DagsterInstance
) -> None:
    upload_all(
        raw, [("a.mat", v4_file(strip())), ("b.mat", v4_file(strip(leads=3))), ("c.mat", v4_file(strip(400)))]
    )
    result = run_day(settings, instance)
    shown = materialized(result)
    rows_of = {name: metadata.get("dagster/partition_row_count") for name, metadata in shown.items()}
    assert rows_of == {
        "raw_ecg": 3,
        "ecg_recordings": 2,
        "ecg_signals": 4,
        "ecg_windows": 4,
        "ecg_quarantine": 1,
        "ecg_beats": len(rows(store, "ecg_beats")),
        "ecg_features": 4,
        "lake": None,
    }
    assert is_picture(shown["ecg_signals"]["worst, median and best recording"])
    graph = result.job_def.asset_layer.asset_graph
    for table in ECG.all_tables:
        (node,) = [node for node in graph.asset_nodes if node.key.to_user_string() == table.name]
        schema = node.metadata["dagster/column_schema"]
        assert isinstance(schema, TableSchema)
        assert [(column.name, column.type, column.description) for column in schema.columns] == [
            (column.name, column.kind, column.doc) for column in table.columns
        ]


def test_an_unchanged_run_keeps_the_picture_and_every_check_names_its_day(
    settings: Settings, raw: ObjectStore, instance: DagsterInstance
) -> None:
    upload_all(raw, [("a.mat", v4_file(strip())), ("b.mat", v4_file(strip() + 1))])
    first, second = run_day(settings, instance), run_day(settings, instance)
    name = "worst, median and best recording"
    drawn, kept = (materialized(result)["ecg_signals"] for result in (first, second))
    assert kept["outcome"] == "unchanged"
    assert kept[name] == drawn[name]
    for check in checks(second).values():
        assert check.metadata["day"].value == DAY
        assert str(check.description).startswith(f"{DAY}: ")


def test_one_derived_table_is_built_without_the_other(
    settings: Settings, raw: ObjectStore, store: ObjectStore, instance: DagsterInstance
) -> None:
    upload_all(raw, [("a.mat", v4_file(strip()))])
    assert run_day(settings, instance).success
    for table in ("ecg_beats", "ecg_features"):
        (part,) = store.objects(f"{table}/date={DAY}/")
        store.delete(part.key, expected=part.version)
    job = build_defs(settings).resolve_job_def("ecg_job")
    result = job.execute_in_process(
        instance=instance, partition_key=DAY, asset_selection=[AssetKey("ecg_features")]
    )
    assert set(materialized(result)) == {"ecg_features"}
    assert len(rows(store, "ecg_features")) == 1
    assert rows(store, "ecg_beats") == []
