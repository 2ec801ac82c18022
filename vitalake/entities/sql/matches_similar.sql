-- Pairs of entities of different source systems whose names have a trigram similarity above 0.6, each pair once.
-- For sets of trigrams A and B, similarity = |A ∩ B| / |A ∪ B|. Four bounds, each of them necessary for more than 3/5,
-- leave few pairs to be counted; no pair above 3/5 is lost to any of them.
WITH telling AS (
    -- A placeholder, or a name that very many entities of one system have, says nothing, and its pairs would be
    -- millions.
    SELECT entity, source_system, name
    FROM entities
    WHERE NOT list_contains({placeholders}, lower(trim(name)))
    QUALIFY count(*) OVER (PARTITION BY source_system, lower(name)) <= {alike}
),
words AS (
    SELECT entity, source_system, unnest(regexp_extract_all(lower(name), '{word}')) AS word FROM telling
),
trigrams AS (
    SELECT DISTINCT
        entity, source_system, substring('  ' || word || ' ', unnest(range(1, length(word) + 2)), 3) AS trigram
    FROM words
),
ranks AS (
    -- 1 is the rarest: almost every name has " co" or "inc", few share a trigram that is rare.
    SELECT trigram, row_number() OVER (ORDER BY count(*), trigram) AS rank FROM trigrams GROUP BY trigram
),
names AS (
    SELECT
        entity, source_system, count(*) AS size, list(rank ORDER BY rank) AS ranks,
        -- Each trigram sets one bit of 62. Where two names differ in a bit, they differ in a trigram that sets it.
        bit_or(1::BIGINT << (rank % 62)) AS bits
    FROM trigrams JOIN ranks USING (trigram)
    GROUP BY entity, source_system
),
rarest AS (
    -- More than 3/5 of a name's trigrams are in the other name, so one of the rarest 2/5 is shared. The rarest that is
    -- shared is among the rarest of both names.
    SELECT
        entity, source_system, size, bits,
        unnest(ranks[:size - 3 * size // 5]) AS rank, generate_subscripts(ranks[:size - 3 * size // 5], 1) AS position
    FROM names
),
candidates AS (
    SELECT DISTINCT least(short.entity, long.entity) AS a, greatest(short.entity, long.entity) AS b
    FROM rarest AS short JOIN rarest AS long USING (rank)
    WHERE short.source_system <> long.source_system
        AND (short.size < long.size OR short.size = long.size AND short.entity < long.entity)
        -- More than 3/4 of the shorter name's: |A ∩ B| > 3/5 |A ∪ B| is |A ∩ B| > 3/8 (|A| + |B|), and |B| >= |A|.
        AND short.position <= short.size - 3 * short.size // 4
        -- |A ∩ B| <= |A|, and |A ∪ B| >= |B|.
        AND 5 * short.size > 3 * long.size
        -- Of |A| + |B|, less than a quarter are in one of them only.
        AND 4 * bit_count(xor(short.bits, long.bits))::INTEGER < short.size + long.size
),
counted AS (
    SELECT a, b, len(list_intersect(x.ranks, y.ranks)) AS shared, x.size + y.size AS sizes
    FROM candidates JOIN names AS x ON x.entity = a JOIN names AS y ON y.entity = b
)
SELECT
    l.canonical_id AS left_id, r.canonical_id AS right_id,
    -- As PostgreSQL divides: in single precision.
    shared::FLOAT / (sizes - shared)::FLOAT AS similarity
FROM counted JOIN entities AS l ON l.entity = a JOIN entities AS r ON r.entity = b
WHERE similarity > 0.6::FLOAT
ORDER BY a, b
