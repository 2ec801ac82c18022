"""All sensors of the code location.

Belongs here: which sensors there are. Does not belong here: what one does.
"""

from __future__ import annotations

from collections.abc import Sequence

from dagster import SensorDefinition

from pipeline_assets.build import Jobs
from resources.settings import Settings
from sensors.alerts import build_alert_sensors
from sensors.all_days import all_days_sensor
from sensors.drops import drop_sensor
from sensors.queue import notification_sensor
from sensors.sweep import sweep_sensor
from vitalake.lake.dataset import Dataset


def build_sensors(settings: Settings, datasets: Sequence[Dataset], jobs: Jobs) -> list[SensorDefinition]:
    """Drops, for all datasets; a sweep for each; what follows from all days; the queue's; those of alerts."""
    sensors = [
        drop_sensor(datasets, jobs, settings),
        *(sweep_sensor(dataset, jobs.daily[dataset.name], settings) for dataset in datasets),
    ]
    if jobs.all_days:
        sensors.append(all_days_sensor(datasets, jobs))
    if settings.queue_url:
        sensors.append(notification_sensor(datasets, jobs, settings))
    return sensors + build_alert_sensors(settings.webserver_url, datasets)
