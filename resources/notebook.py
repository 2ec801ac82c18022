"""`vitalake.open()`: from a state folder, or settings, to a lake that can be asked.

Belongs here: finding and opening. Does not belong here: what can be asked (`vitalake/serving/lake_handle.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from resources.catalog import connect
from resources.home import nearest_home, settings_in
from resources.reachable import answers
from vitalake.errors import PermanentError

if TYPE_CHECKING:
    from vitalake.serving.lake_handle import Lake


def open_lake(home: str | Path | None = None) -> Lake:
    """What `vitalake.open` says."""
    from vitalake.serving.lake_handle import Lake

    settings = settings_in(Path(home).expanduser() if home is not None else nearest_home())
    if not settings.catalog_path.exists():
        raise PermanentError(
            f"{settings.catalog_path} is not there: no lake is known here. Start the system (make run, or vitalake "
            "up), or name the folder of its state: vitalake.open('…/.vitalake'), or VITALAKE_HOME; without one, "
            "VITALAKE_LAKE_PATH names the catalog"
        )
    if settings.s3_endpoint and not answers(settings.s3_endpoint):
        raise PermanentError(
            f"no S3 server answers at {settings.s3_endpoint}: start the system (make run, or vitalake up)"
        )
    connection = connect(settings)
    connection.execute("SET python_enable_replacements = false")  # a table in SQL is no variable of ours
    return Lake(connection)
