-- Every entity as it is now: its newest version.
SELECT * EXCLUDE (valid_to)
FROM entities_history
WHERE valid_to IS NULL
