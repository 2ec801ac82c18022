"""The pure core of Vitalake: from listed objects and bytes to typed tables.

Belongs here: what a recording, a table, a part and a verdict are, and the functions between them. Does not
belong here: Dagster, S3 clients, environment variables, the command line. A data scientist can import any of
it in a notebook.

`vitalake.open()` is the one door that leads upwards, to the package that knows settings and stores (ADR 16).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from vitalake.serving.lake_handle import Lake


def open(home: str | Path | None = None) -> Lake:
    """The lake, to be asked from Python; it only reads.

        import vitalake

        with vitalake.open() as lake:
            print(lake.tables["ecg_features"])
            rates = lake.df("ecg_features", ["recording_id", "heart_rate_bpm"], days="2026-11-20")
            worst = lake.sql("SELECT source_key FROM ecg_recordings WHERE verdict = ?", ["unacceptable"])
            lead = lake.signals_mv(rates.recording_id[0])["II"]  # lead.mv, lead.time_s, lead.r_peaks

    Args:
        home: the state folder. By default the one that VITALAKE_HOME names, else `.vitalake` in the working folder
            or the nearest folder above that has one. Its file `env` and the environment say the rest, as for every
            program of Vitalake: on AWS the environment alone does.

    Raises:
        PermanentError: there is no lake here, or it cannot be opened; the message says what to do.
        TransientError: another program has the catalog open for writing.
    """
    from resources.notebook import open_lake

    return open_lake(home)
