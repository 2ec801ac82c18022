-- Pairs of entities of different source systems whose names have a trigram similarity above 0.6, each pair once; into
-- left_out goes who was not compared with every name, and why.
-- For sets of trigrams A and B, similarity = |A ∩ B| / |A ∪ B|. Four bounds, each of them necessary for more than 3/5,
-- leave few pairs to be counted; no pair above 3/5 is lost to any of them.
CREATE OR REPLACE TEMP TABLE named AS
SELECT
    entity, source_system, lower(name) AS name,
    -- A placeholder, or a name that very many entities of one system have, says nothing, and its pairs would be
    -- millions.
    CASE
        WHEN list_contains({placeholders}, lower(trim(name))) THEN '{no_name}'
        WHEN count(*) OVER (PARTITION BY source_system, lower(name)) > {most_alike} THEN '{alike}'
    END AS why
FROM entities;

CREATE OR REPLACE TEMP TABLE names AS
WITH words AS (
    SELECT entity, source_system, unnest(regexp_extract_all(name, '{word}')) AS word FROM named WHERE why IS NULL
),
trigrams AS (
    SELECT DISTINCT
        entity, source_system, substring('  ' || word || ' ', unnest(range(1, length(word) + 2)), 3) AS trigram
    FROM words
),
ranks AS (
    -- 1 is the rarest: almost every name has " co" or "inc", few share a trigram that is rare.
    SELECT
        trigram, row_number() OVER (ORDER BY count(*), trigram) AS rank, (count(*) OVER () - rank)::INTEGER AS place
    FROM trigrams
    GROUP BY trigram
)
SELECT
    entity, source_system, count(*) AS size, list(rank ORDER BY rank) AS ranks,
    -- Each trigram sets one bit of 62. Where two names differ in a bit, they differ in a trigram that sets it.
    bit_or(1::BIGINT << (rank % 62)) AS bits,
    -- Almost all that two names share is among the commonest; to count bits takes a tenth of comparing lists.
    bitstring_agg(place, 0, 1023) FILTER (place < 1024) AS common,
    coalesce(list(rank) FILTER (place >= 1024), []) AS rare
FROM trigrams JOIN ranks USING (trigram)
GROUP BY entity, source_system;

-- More than 3/5 of a name's trigrams are in the other name, so one of the rarest 2/5 is shared. The rarest that is
-- shared is among the rarest of both names.
CREATE OR REPLACE TEMP TABLE rarest AS
SELECT
    entity, source_system, size, bits,
    unnest(ranks[:size - 3 * size // 5]) AS rank, generate_subscripts(ranks[:size - 3 * size // 5], 1) AS position
FROM names;

-- What is among the rarest of very many names of two systems, the stem of a chain's branches, makes pairs of each with
-- each. Such names are compared where they share something rarer, or are equal.
CREATE OR REPLACE TEMP TABLE crowded AS
SELECT rank
FROM (SELECT rank, source_system FROM rarest GROUP BY ALL HAVING count(*) > {most_crowded})
GROUP BY rank
HAVING count(*) > 1;

INSERT INTO left_out
SELECT entity, why FROM named WHERE why IS NOT NULL
UNION ALL
SELECT DISTINCT entity, '{crowded}' FROM rarest SEMI JOIN crowded USING (rank);

WITH telling AS (
    FROM rarest ANTI JOIN crowded USING (rank)
),
candidates AS (
    SELECT least(short.entity, long.entity) AS a, greatest(short.entity, long.entity) AS b
    FROM telling AS short JOIN telling AS long USING (rank)
    WHERE short.source_system <> long.source_system
        AND (short.size < long.size OR short.size = long.size AND short.entity < long.entity)
        -- More than 3/4 of the shorter name's: |A ∩ B| > 3/5 |A ∪ B| is |A ∩ B| > 3/8 (|A| + |B|), and |B| >= |A|.
        AND short.position <= short.size - 3 * short.size // 4
        -- |A ∩ B| <= |A|, and |A ∪ B| >= |B|.
        AND 5 * short.size > 3 * long.size
        -- Of |A| + |B|, less than a quarter are in one of them only.
        AND 4 * bit_count(xor(short.bits, long.bits))::INTEGER < short.size + long.size
    UNION
    SELECT x.entity, y.entity
    FROM named AS x JOIN named AS y USING (name)
    WHERE x.entity IN (SELECT entity FROM left_out WHERE why = '{crowded}')
        AND x.source_system <> y.source_system AND x.entity < y.entity AND x.why IS NULL AND y.why IS NULL
),
counted AS (
    SELECT
        a, b, x.size + y.size AS sizes,
        coalesce(bit_count(x.common & y.common), 0)
            + CASE WHEN len(x.rare) = 0 OR len(y.rare) = 0 THEN 0 ELSE len(list_intersect(x.rare, y.rare)) END
            AS shared
    FROM candidates JOIN names AS x ON x.entity = a JOIN names AS y ON y.entity = b
)
SELECT
    l.canonical_id AS left_id, r.canonical_id AS right_id,
    -- As PostgreSQL divides: in single precision.
    shared::FLOAT / (sizes - shared)::FLOAT AS similarity
FROM counted JOIN entities AS l ON l.entity = a JOIN entities AS r ON r.entity = b
WHERE similarity > 0.6::FLOAT
ORDER BY a, b
