"""The product's code location without its sensors and schedules: nothing is built but what is asked for.

Belongs here: for tests and benchmarks of backfills that count runs or take their time.
"""

from dagster_shared.record import replace

from pipeline_assets.build import build_defs
from resources.settings import load_settings

defs = replace(build_defs(load_settings()), schedules=[])
