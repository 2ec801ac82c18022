-- The signals forward filled, then scaled to 0..1 by their own minimum and maximum; a constant signal is all 0.
WITH numbers AS (
    -- NaN and infinity become NULL: neither end of the scale may be one.
    SELECT
        recording_id, source_key, lead_index, lead_name, sampling_rate_hz, verdict, reasons, date,
        CASE WHEN samples IS NOT NULL THEN samples::DOUBLE[]
             ELSE list_transform(samples_real, lambda v: CASE WHEN isfinite(v) THEN v END)
        END AS x
    FROM ecg_signals
),
with_gaps AS (
    -- Only the few strips that have gaps are taken apart.
    SELECT date, recording_id, lead_index, unnest(x) AS v, generate_subscripts(x, 1) AS i
    FROM numbers
    WHERE list_count(x) < len(x)
),
forward_filled AS (
    SELECT date, recording_id, lead_index, list(v ORDER BY i) AS x
    FROM (
        SELECT date, recording_id, lead_index, i,
            last_value(v IGNORE NULLS) OVER (PARTITION BY date, recording_id, lead_index ORDER BY i) AS v
        FROM with_gaps
    )
    GROUP BY date, recording_id, lead_index
),
bounded AS (
    SELECT
        numbers.* EXCLUDE (x), coalesce(forward_filled.x, numbers.x) AS x,
        list_min(coalesce(forward_filled.x, numbers.x)) AS lowest,
        list_max(coalesce(forward_filled.x, numbers.x)) AS highest
    FROM numbers LEFT JOIN forward_filled USING (date, recording_id, lead_index)
)
SELECT
    * EXCLUDE (x, lowest, highest),
    list_transform(x, lambda v: CASE WHEN highest = lowest THEN v - lowest ELSE (v - lowest) / (highest - lowest) END)
        AS normalised
FROM bounded
