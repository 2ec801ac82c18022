"""A dataset's partitions as Dagster knows them, those of tomorrow included; and the tags of their runs.

Belongs here: the partition definitions. Does not belong here: which partition an object belongs to
(`vitalake/arrivals/partitions.py`), what one is (`vitalake/arrivals/calendar.py`).
"""

from __future__ import annotations

from datetime import date

from dagster import DailyPartitionsDefinition, HourlyPartitionsDefinition, TimeWindowPartitionsDefinition

from vitalake.lake.dataset import Dataset

# Dagster puts it on every run of a partition.
DAGSTER_PARTITION_TAG = "dagster/partition"
DATASET_TAG = "vitalake/dataset"
# `dagster.yaml` lets one run with each value of it go on at a time.
PARTITION_TAG = "vitalake/partition"


def partitions_of(dataset: Dataset, first_day: date) -> TimeWindowPartitionsDefinition:
    """The days, or hours, of a dataset; those that `Calendar` says have come."""
    return hourly(first_day) if dataset.partition == "hour" else daily(first_day)


def daily(first_day: date) -> DailyPartitionsDefinition:
    """Days from `first_day` to tomorrow in UTC: a device east of Greenwich may already write tomorrow's date."""
    return DailyPartitionsDefinition(start_date=first_day.isoformat(), timezone="UTC", end_offset=2)


def hourly(first_day: date) -> HourlyPartitionsDefinition:
    """Hours from `first_day` to this one of tomorrow, in UTC."""
    form = "%Y-%m-%dT%H"
    return HourlyPartitionsDefinition(start_date=f"{first_day}T00", fmt=form, timezone="UTC", end_offset=25)
