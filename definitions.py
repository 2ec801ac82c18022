"""The code location that Dagster loads: settings from the environment, sensors on top of assets.

Belongs here: nothing but this composition.
"""

from pipeline_assets.build import build_defs
from resources.settings import load_settings
from sensors.build import build_sensors

defs = build_defs(load_settings(), build_sensors)
