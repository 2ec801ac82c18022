"""A declaration that contradicts itself, or the lake, is refused when it is loaded, in words."""

from __future__ import annotations

from typing import Any

import pytest

from vitalake.datasets.ecg import ECG
from vitalake.datasets.entities import ENTITIES
from vitalake.datasets.retina import RETINA
from vitalake.lake.computed.declaration import ComputedTable, Condition
from vitalake.lake.computed.resolved import with_computed
from vitalake.lake.tables import Column

DATASETS = (ECG, ENTITIES, RETINA)
ID = Column("device_id", "string", "Device.", nullable=False)


def by_device(ecg_recordings: Any) -> Any:
    return ecg_recordings


def declared(**other: Any) -> ComputedTable:
    values: dict[str, Any] = {
        "name": "ecg_devices",
        "doc": "One row a device.",
        "owner": "team:data",
        "columns": (ID, Column("mean", "float64", "A number.")),
        "key": ("device_id",),
        "sources": {"ecg_recordings": ["device_id", "date"]},
        "compute": by_device,
    }
    return ComputedTable(**values | other)


WRONG = {
    "two ways": ({"sql": "SELECT 1"}, "is computed by a function .* or by a SELECT"),
    "no way": ({"compute": None}, "is computed by a function .* or by a SELECT"),
    "no key": ({"key": ()}, "needs a key"),
    "another key": ({"key": ("id",)}, "key column 'id' must be one of its columns"),
    "a key with nothing": (
        {"key": ("mean",)},
        "key column 'mean' must be one of its columns, declared with nullable",
    ),
    "no sources": ({"sources": {}}, "needs sources"),
    "no columns": ({"sources": {"ecg_recordings": []}}, "needs sources"),
    "another argument": (
        {"sources": {"ecg_features": ["lead_index"]}},
        "its function takes ecg_recordings; it gets a frame for each source, as arguments of these names: ecg_f",
    ),
    "no owner": ({"owner": "me"}, "'me' is no owner"),
    "a name": ({"name": "ECG devices"}, "a name is a lower-case letter"),
    "its partition": ({"columns": (ID, Column("date", "date", "."))}, "every table has a column 'date' already"),
    "checks": ({"checks": (Condition("a", "."), Condition("a", "."))}, "has two checks that are called a"),
}


@pytest.mark.parametrize(("other", "said"), WRONG.values(), ids=WRONG)
def test_what_contradicts_itself_is_refused(other: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=f"table '.*{said}"):
        declared(**other)


SOURCES = {
    "unknown": (
        "ecg_recording",
        ["device_id"],
        "'ecg_recording' is no table of a dataset; near it: ecg_recordings",
    ),
    "a view": ("entities_current", ["name"], "'entities_current' is a view: read the tables that it is made of"),
    "itself": ("ecg_devices", ["device_id"], "'ecg_devices' is no table of a dataset"),
    "column": (
        "ecg_recordings",
        ["device"],
        "'ecg_recordings' has no column device; it has recording_id, source_key",
    ),
    "all days": ("entities_golden", ["name"], "'entities_golden' is over all days, so this table must be too"),
    "people": (
        "retina_names",
        ["patient_id"],
        "'retina_names' names people: declare this table with restricted=True",
    ),
}


@pytest.mark.parametrize(("source", "columns", "said"), SOURCES.values(), ids=SOURCES)
def test_a_source_that_cannot_be_followed_is_refused(source: str, columns: list[str], said: str) -> None:
    def anything(**_frames: Any) -> Any:
        raise NotImplementedError

    table = declared(sources={source: columns}, compute=anything)
    with pytest.raises(ValueError, match=f"table 'ecg_devices': its source {said}"):
        with_computed(DATASETS, [table])


def test_a_table_is_shown_with_its_first_source_and_built_with_every_one() -> None:
    sources = {"retina_scans": ["patient_id"], "ecg_recordings": ["device_id"], "ecg_features": ["lead_index"]}
    by_day = declared(name="both_by_day", sources=sources, compute=None, sql="SELECT 1")
    whole = declared(
        name="all_whole", sources={"entities_golden": ["name"]}, compute=None, sql="SELECT 1", whole=True
    )
    named = {dataset.name: dataset for dataset in with_computed(DATASETS, [by_day, whole])}
    assert {name: [table.name for table in dataset.every_table[-1:]] for name, dataset in named.items()} == {
        "ecg": ["ecg_features"],
        "entities": ["all_whole"],
        "retina": ["both_by_day"],
    }
    assert [item.table.name for item in named["ecg"].computed_by_day] == ["both_by_day"]
    assert [item.table.name for item in named["retina"].computed_by_day] == ["both_by_day"]
    assert [item.table.name for item in named["entities"].computed_over_all_days] == ["all_whole"]
    assert named["ecg"].all_tables == ECG.all_tables


def test_a_restricted_table_says_nothing_of_what_its_dataset_may_tell() -> None:
    table = declared(restricted=True, compute=None, sql="SELECT 1")
    [ecg] = with_computed([ECG], [table])
    assert ecg.every_table[-1].restricted
    assert not ecg.names_people
