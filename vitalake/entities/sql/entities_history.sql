-- Every version of every entity. A record whose content equals that of the one before brings no new version.
-- Order: when it was exported (or uploaded, where the export has no date); an export that is uploaded again, corrected,
-- comes after the first; then the key, and the place in the object.
WITH arrivals AS (
    SELECT
        *, coalesce(exported_at, uploaded_at) AS valid_from,
        row_number() OVER arrival AS arrival_number,
        lag(content_sha256) OVER arrival AS content_before
    FROM entities_records
    WINDOW arrival AS (
        PARTITION BY canonical_id
        ORDER BY coalesce(exported_at, uploaded_at), uploaded_at, source_key, record_number
    )
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
