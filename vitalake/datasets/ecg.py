"""The ECG dataset: recordings in every common format.

Belongs here: the declaration, with the steps from objects to rows. Does not belong here: how an ECG is read or
judged (`vitalake/ecg/`), which is imported only when data is at hand, because Dagster loads this module at every
start.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from vitalake.ecg.devices import Device
from vitalake.ecg.readers.wfdb.names import recordings
from vitalake.ecg.tables import BEATS, FEATURES, RECORDINGS, SIGNALS, VIEWS, WINDOWS
from vitalake.lake.checks import complete, duplicated, quarantined, readable, share_of
from vitalake.lake.contents import Parsed, RawObject, Tabulated
from vitalake.lake.dataset import Dataset, Derived, Picture, Threshold, Trend
from vitalake.pseudonyms import Pseudonyms

if TYPE_CHECKING:
    import pyarrow as pa

    from vitalake.ecg.tabulate import Arrival
    from vitalake.lake.parquet import Rows


# What each kind of device leaves out of its files; the first whose pattern fits the key of an object counts. Yours
# go here. Of anything else nothing is taken for granted: where a MATLAB file says no rate, check S07 warns.
DEVICES = (
    # Plawiak 2017, "ECG signals (1000 fragments)", doi 10.17632/7dybx7wyfn.3: `1 NSR/100m (0).mat`
    Device(
        "*/[0-9]* [A-Z]*/[0-9]*m ([0-9]*).mat",
        sampling_rate_hz=360.0,
        gain_adu_per_mv=200.0,
        zero_adu=1024.0,
        lead_names=("MLII",),
    ),
    # The recorders of `vitalake up --demo`.
    Device(
        "*/device=demo-*/*",
        sampling_rate_hz=360.0,
        gain_adu_per_mv=200.0,
        zero_adu=1024.0,
        lead_names=("MLII",),
    ),
)


def _parse(objects: Sequence[RawObject], pseudonyms: Pseudonyms) -> Iterable[Parsed]:
    from vitalake.ecg.readers.formats import read_together
    from vitalake.ecg.structure import SourceConfig, checked, completed
    from vitalake.ecg.tabulate import arrived

    config = SourceConfig(DEVICES)
    found, refusals = read_together(
        objects, lambda recording, key: checked(completed(recording, config, key)), config.device
    )
    arrivals = arrived(found, pseudonyms)
    yield Parsed(arrivals, tuple(refusals), sum(each.weight_bytes for each in arrivals))


def _tabulate(arrivals: Sequence[Arrival]) -> Tabulated:
    from vitalake.ecg.assess import assess
    from vitalake.ecg.tabulate import tabulate

    return Tabulated(tabulate(arrivals, assess([each.recording for each in arrivals])))


def _beats_and_features(signals: pa.Table) -> dict[str, pa.Table]:
    from vitalake.ecg.tabulate import beats_and_features

    return beats_and_features(signals)


def _draw_strips(signals: Rows) -> bytes:
    from vitalake.ecg.pictures.dataset_pictures import worst_median_best

    return worst_median_best(signals)


def _draw_verdicts(rows: list[tuple[Any, ...]]) -> bytes:
    from vitalake.ecg.pictures.dataset_pictures import verdicts_over_time

    return verdicts_over_time(rows)


def _draw_quality(rows: list[tuple[Any, ...]]) -> bytes:
    from vitalake.ecg.pictures.dataset_pictures import quality_over_time

    return quality_over_time(rows)


ECG = Dataset(
    name="ecg",
    doc="ECG recordings as devices upload them.",
    owner="team:data",
    parse=_parse,
    tabulate=_tabulate,
    tables=(RECORDINGS, SIGNALS, WINDOWS),
    group_objects=recordings,
    derived=(
        Derived(
            (BEATS, FEATURES),
            SIGNALS.name,
            [
                "recording_id",
                "source_key",
                "lead_index",
                "sampling_rate_hz",
                "duration_s",
                "r_peaks",
                "unusable_s",
                "beat_doubt",
            ],
            _beats_and_features,
        ),
    ),
    views=VIEWS,
    checks=(
        readable("ecg", Threshold(warn=0.02, block=0.5)),
        quarantined("ecg", Threshold(warn=0.05, block=0.5)),
        complete("ecg"),
        share_of(
            "unacceptable",
            "Recordings are good enough to be analysed.",
            RECORDINGS.name,
            "verdict",
            "unacceptable",
            Threshold(warn=0.1, block=0.8),
        ),
        duplicated(RECORDINGS.name, "content_sha256", Threshold(warn=0.0)),
    ),
    pictures=(Picture("worst, median and best recording", SIGNALS.name, _draw_strips),),
    trends=(
        Trend(
            "verdicts by day",
            "SELECT date, verdict, count(*) FROM ecg_recordings WHERE date >= ? GROUP BY ALL ORDER BY ALL",
            _draw_verdicts,
        ),
        Trend(
            "quality index by day",
            """SELECT date, avg(quality_index), median(quality_index), quantile_cont(quality_index, 0.1),
                quantile_cont(quality_index, 0.9)
            FROM ecg_signals WHERE date >= ? AND quality_index IS NOT NULL GROUP BY date ORDER BY date""",
            _draw_quality,
        ),
    ),
)
