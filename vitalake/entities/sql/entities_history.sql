-- Every version of every entity. A record whose content equals that of the one before brings no new version, and of
-- several records that one export has of an entity, the last counts.
-- Order: when it was exported, else when it was uploaded. A date without a time is the moment of that day which is
-- nearest to the upload, so that what was uploaded before it on that day comes before it. Of equal times the later
-- upload comes last: an export that is uploaded again, corrected.
WITH exported AS (
    SELECT
        *,
        -- Microseconds: adding an interval to a time takes an extension, and the zone of the session.
        epoch_us(uploaded_at) AS uploaded,
        coalesce(epoch_us(exported_at), uploaded) AS earliest,
        CASE
            WHEN exported_at IS NULL OR exported_at_has_time THEN earliest
            ELSE greatest(earliest, least(earliest + 86399999999, uploaded))
        END AS moment
    FROM entities_records
    QUALIFY row_number() OVER (PARTITION BY canonical_id, source_key ORDER BY record_number DESC) = 1
),
arrivals AS (
    SELECT
        * EXCLUDE (uploaded, earliest, moment),
        -- A date begins at its 00:00, wherever in the day it was uploaded, unless something of that day precedes it:
        -- its validity would be empty.
        to_timestamp(CASE WHEN lag(moment) OVER arrival >= earliest THEN moment ELSE earliest END / 1000000)
            AS valid_from,
        row_number() OVER arrival AS arrival_number,
        lag(content_sha256) OVER arrival AS content_before
    FROM exported
    WINDOW arrival AS (PARTITION BY canonical_id ORDER BY moment, uploaded_at, source_key)
)
SELECT
    canonical_id,
    row_number() OVER versions AS version,
    valid_from,
    lead(valid_from) OVER versions AS valid_to,
    min(valid_from) OVER (PARTITION BY canonical_id) AS created_at,
    valid_from AS updated_at,
    * EXCLUDE (canonical_id, valid_from, arrival_number, content_before)
FROM arrivals
WHERE content_before IS DISTINCT FROM content_sha256
WINDOW versions AS (PARTITION BY canonical_id ORDER BY arrival_number)
