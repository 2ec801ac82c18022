"""A code location with a dataset that is built by the hour, and without sensors: what is built was asked for.

Belongs here: for tests of backfills by the hour.
"""

from dagster_shared.record import replace

from pipeline_assets.build import build_defs
from resources.settings import load_settings
from tests.vitalake.vitals import VITALS

defs = replace(build_defs(load_settings(), datasets=(VITALS,)), schedules=[])
