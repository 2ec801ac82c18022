"""Measured values of business entities over time, as CSV drops.

Belongs here: the declaration. Does not belong here: reading CSV and applying rules (`vitalake/records/`).
"""

from vitalake.lake.dataset import Rule
from vitalake.records.conditions import trimmed
from vitalake.records.declare import csv_dataset
from vitalake.records.fields import Field

ENTITY_METRICS = csv_dataset(
    name="entity_metrics",
    doc="Values of metrics of business entities, one a day.",
    owner="team:data",
    fields=(
        Field("entity_id", "canonical_id", "string", "`canonical_id` of the entity.", required=True),
        Field("metric", "metric_name", "string", "What was measured, e.g. revenue.", required=True),
        Field("date", "observed_on", "date", "The day that the value is of.", required=True),
        Field("value", "value", "float64", "The value, in `unit`.", required=True),
        Field("unit", "unit", "string", "Unit, e.g. USD."),
    ),
    key=("canonical_id", "metric_name", "observed_on"),
    rules=(
        Rule("T01", "observed_on <= CAST(uploaded_at AS DATE) + 1", "date lies after the day of the upload"),
        # Ids of entities have none, so such a value would join nothing.
        Rule(
            "T02",
            trimmed("canonical_id", "metric_name"),
            "entity_id or metric has white space before or after it",
        ),
    ),
)
