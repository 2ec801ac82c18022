"""The product's code location without its sensors: nothing is built but what is asked for.

Belongs here: for tests and benchmarks of backfills that count runs or take their time.
"""

from pipeline_assets.build import build_defs
from resources.settings import load_settings

defs = build_defs(load_settings())
