-- Recordings whose content was already there under another key, of any day. The first upload is the original.
SELECT recording_id, source_key, date, first_key AS duplicate_of, content_sha256
FROM (
    SELECT *, first_value(source_key) OVER same_content AS first_key, row_number() OVER same_content AS number
    FROM ecg_recordings
    WINDOW same_content AS (PARTITION BY content_sha256 ORDER BY uploaded_at, source_key)
)
WHERE number > 1
