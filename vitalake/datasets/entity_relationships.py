"""Which business entity belongs to which: parents and children, as CSV drops.

Belongs here: the declaration. Does not belong here: reading CSV and applying rules (`vitalake/records/`).
"""

from vitalake.lake.dataset import Rule
from vitalake.records.conditions import trimmed
from vitalake.records.declare import csv_dataset
from vitalake.records.fields import Field

_KEY = ("parent_id", "child_id", "relationship_type")

ENTITY_RELATIONSHIPS = csv_dataset(
    name="entity_relationships",
    doc="Links between business entities.",
    owner="team:data",
    fields=(
        Field("parent_id", "parent_id", "string", "`canonical_id` of the parent.", required=True),
        Field("child_id", "child_id", "string", "`canonical_id` of the child.", required=True),
        Field("type", "relationship_type", "string", "Kind of link, e.g. subsidiary.", required=True),
        Field("strength", "strength", "float64", "How strong the link is, 0 to 1."),
    ),
    key=_KEY,
    rules=(
        Rule("L01", "parent_id <> child_id", "parent_id and child_id are the same"),
        Rule("L02", "strength BETWEEN 0 AND 1", "strength is not 0 to 1"),
        # Ids of entities have none, so such a link would join nothing.
        Rule("L03", trimmed(*_KEY), "parent_id, child_id or type has white space before or after it"),
    ),
)
