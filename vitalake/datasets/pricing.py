"""The pricing dataset: price lists of cloud instances as CSV drops.

Belongs here: the declaration. Does not belong here: reading CSV and applying rules (`vitalake/records/`).
"""

from vitalake.lake.dataset import Rule
from vitalake.lake.sinks import Sink
from vitalake.records.declare import csv_dataset
from vitalake.records.fields import Field

PRICING = csv_dataset(
    name="pricing",
    table="pricing_instances",
    doc="Price lists of cloud instances.",
    owner="team:data",
    fields=(
        Field("ID", "instance_id", "int64", "Number of the offer.", required=True),
        Field("Region", "region", "string", "Region.", required=True),
        Field("InstanceFamily", "instance_family", "string", "Family, e.g. compute optimised."),
        Field("InstanceType", "instance_type", "string", "Type, e.g. m5.large.", required=True),
        Field("Price (USD/h)", "price_usd_per_h", "float64", "Price in US dollars an hour.", required=True),
        Field("vCPU", "vcpu_count", "int32", "Virtual processors."),
        Field("Memory", "memory_gib", "float64", "Memory in GiB."),
        Field("Storage", "storage", "string", "Storage, in words."),
        Field("OS", "operating_system", "string", "Operating system."),
        Field("Network", "network", "string", "Network, in words."),
    ),
    key=("instance_id",),
    rules=(
        Rule("P01", "price_usd_per_h >= 0", "Price (USD/h) is negative"),
        Rule("P02", "vcpu_count > 0", "vCPU is not above 0"),
        Rule("P03", "memory_gib > 0", "Memory is not above 0"),
    ),
    sinks=(
        Sink(
            "pricing_instances_dynamodb",
            view="pricing_instances_current",
            key=("instance_id",),
            target="dynamodb",
            doc="The newest row of each offer as an item of a DynamoDB table.",
        ),
        Sink(
            "pricing_instances_postgres",
            view="pricing_instances_current",
            key=("instance_id",),
            target="postgres",
            doc="The newest row of each offer as a row of a PostgreSQL table.",
        ),
    ),
)
