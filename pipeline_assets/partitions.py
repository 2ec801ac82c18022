"""Daily partitions: one for each day of the calendar, today's and tomorrow's included.

Belongs here: the partition definition. Does not belong here: which day an object belongs to
(`vitalake/arrivals/partitions.py`).
"""

from __future__ import annotations

from datetime import date

from dagster import DailyPartitionsDefinition

# Dagster puts it on every run of a partition.
DAGSTER_PARTITION_TAG = "dagster/partition"
DATASET_TAG = "vitalake/dataset"
# `dagster.yaml` lets one run with each value of it go on at a time.
PARTITION_TAG = "vitalake/partition"


def daily(first_day: date) -> DailyPartitionsDefinition:
    """Days from `first_day` to tomorrow in UTC: a device east of Greenwich may already write tomorrow's date."""
    return DailyPartitionsDefinition(start_date=first_day.isoformat(), timezone="UTC", end_offset=2)
