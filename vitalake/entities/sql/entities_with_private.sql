-- Every version of every entity with all its attributes, those that name people too. Who may not read the restricted
-- bucket cannot ask it.
SELECT history.* REPLACE (coalesce(private.attributes, history.attributes) AS attributes)
FROM entities_history AS history
LEFT JOIN entities_private_attributes AS private USING (source_key, source_version, record_number)
