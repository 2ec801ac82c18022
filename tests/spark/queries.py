"""What both engines are asked: each kind of column, each way of combining tables that people use.

Belongs here: queries. Does not belong here: asking them, or what comes out.
"""

from __future__ import annotations

from typing import NamedTuple

DAYS = ("2025-03-02", "2025-03-03")
NOBODY = "the part without rows"


class Query(NamedTuple):
    """The same question in both dialects; `spark` is empty where it is the same text."""

    duckdb: str
    spark: str = ""


QUERIES = {
    "verdicts by day": Query("SELECT date, verdict, count(*) FROM ecg_recordings GROUP BY date, verdict"),
    "signals of recordings": Query(
        """SELECT r.device_id, count(*), count(DISTINCT r.recording_id), max(r.lead_count), min(s.quality_index)
        FROM ecg_recordings r JOIN ecg_signals s ON r.recording_id = s.recording_id AND r.date = s.date
        WHERE s.verdict <> 'unacceptable' GROUP BY r.device_id"""
    ),
    "beats": Query(
        """SELECT date, recording_id, lead_index, count(*), count(rr_s), avg(rr_s), stddev_samp(rr_s), max(time_s)
        FROM ecg_beats GROUP BY date, recording_id, lead_index HAVING count(*) > 3"""
    ),
    "array lengths": Query(
        """SELECT source_key, lead_index, len(samples), len(samples_real), len(r_peaks), len(unusable_s)
        FROM ecg_signals""",
        """SELECT source_key, lead_index, array_size(samples), array_size(samples_real), array_size(r_peaks),
        array_size(unusable_s) FROM ecg_signals""",
    ),
    "sums over samples": Query(
        """SELECT source_key, lead_index, CAST(sum(x) AS BIGINT), count(x), count(*), min(x), max(x)
        FROM (SELECT source_key, lead_index, unnest(samples) AS x FROM ecg_signals) GROUP BY ALL""",
        """SELECT source_key, lead_index, CAST(sum(x) AS BIGINT), count(x), count(*), min(x), max(x)
        FROM (SELECT source_key, lead_index, explode(samples) AS x FROM ecg_signals) GROUP BY ALL""",
    ),
    "quarantine by rule": Query(
        """SELECT rule, count(*), CAST(sum(size_bytes) AS BIGINT), count(record_number), max(excerpt_hex)
        FROM ecg_quarantine GROUP BY rule"""
    ),
    "hours of the day in UTC": Query(
        """SELECT date, hour(started_at), CAST(CAST(started_at AS DATE) AS VARCHAR), min(epoch_us(started_at)),
        count(*) FROM ecg_recordings GROUP BY ALL""",
        """SELECT date, hour(started_at), CAST(CAST(started_at AS DATE) AS STRING), min(unix_micros(started_at)),
        count(*) FROM ecg_recordings GROUP BY ALL""",
    ),
    "missing values": Query(
        """SELECT count(*), count(label), count(started_at), count(samples), count(samples_real),
        count(poor_probability) FROM ecg_recordings r JOIN ecg_signals s USING (recording_id)"""
    ),
    "reasons": Query(
        "SELECT reason, count(*) FROM (SELECT unnest(reasons) AS reason FROM ecg_recordings) GROUP BY reason",
        "SELECT reason, count(*) FROM (SELECT explode(reasons) AS reason FROM ecg_recordings) GROUP BY reason",
    ),
    "lists that are empty": Query(
        "SELECT count(*) FILTER (len(reasons) = 0), count(*) FILTER (len(companion_keys) > 0) FROM ecg_recordings",
        """SELECT count(*) FILTER (WHERE size(reasons) = 0), count(*) FILTER (WHERE size(companion_keys) > 0)
        FROM ecg_recordings""",
    ),
    "one day": Query(
        "SELECT source_key, uploaded_at FROM raw_ecg WHERE date = DATE '2025-03-02' AND size_bytes > 0"
    ),
    NOBODY: Query("SELECT * FROM ecg_signals WHERE date < DATE '2000-01-01'"),
}
