-- Pairs that are one business, best first: to be merged by their score, and for both of them the one best match in the
-- other's system. Where two are equally good, nobody can say which of them it is, and neither is taken. Who was not
-- compared with every name may have a better match: only its namesake is taken.
WITH sure AS MATERIALIZED (
    SELECT left_id, right_id, left_system, right_system, score, similarity FROM pairs WHERE action = 'auto_merge'
),
both_ways AS (
    SELECT left_id AS one, right_id AS other, right_system AS system, score, similarity FROM sure
    UNION ALL
    SELECT right_id, left_id, left_system, score, similarity FROM sure
),
best AS (
    -- Equal scores are counted together.
    SELECT * FROM both_ways QUALIFY count(*) OVER (PARTITION BY one, system ORDER BY score DESC) = 1
),
unsure AS (
    SELECT canonical_id FROM left_out JOIN entities USING (entity) WHERE why = '{crowded}'
)
SELECT l.entity, l.source_system, r.entity, r.source_system, best.score
FROM best
JOIN best AS back ON back.one = best.other AND back.other = best.one
JOIN entities AS l ON l.canonical_id = best.one
JOIN entities AS r ON r.canonical_id = best.other
WHERE l.entity < r.entity
    AND (best.similarity = 1 OR best.one NOT IN (FROM unsure) AND best.other NOT IN (FROM unsure))
ORDER BY best.score DESC
