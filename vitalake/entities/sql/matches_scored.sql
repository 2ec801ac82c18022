-- Each pair of similar names with what else speaks for one business, and what to do about it. Of more than
-- {most_matches} that an entity has with a system the best are kept, and those that are among the best of the other.
CREATE OR REPLACE TEMP TABLE scored AS
WITH points AS (
    SELECT
        l.canonical_id AS left_id, r.canonical_id AS right_id,
        l.source_system AS left_system, r.source_system AS right_system,
        similarity::DOUBLE AS similarity,
        25 * similarity::DOUBLE AS of_name,
        CASE
            WHEN l.revenue = 0 AND r.revenue = 0 THEN 25
            WHEN l.revenue > 0 AND r.revenue > 0
                THEN 25 * (least(l.revenue, r.revenue) / greatest(l.revenue, r.revenue))
            ELSE 0
        END AS of_revenue,
        CASE
            WHEN l.employees = 0 AND r.employees = 0 THEN 25
            WHEN l.employees > 0 AND r.employees > 0
                THEN 25 * (least(l.employees, r.employees) / greatest(l.employees, r.employees))
            ELSE 0
        END AS of_employees,
        CASE WHEN lower(l.industry) = lower(r.industry) THEN 25 ELSE 0 END AS of_industry
    FROM pairs
    JOIN entities AS l ON l.canonical_id = left_id
    JOIN entities AS r ON r.canonical_id = right_id
),
rounded AS (
    -- What is shown is what is judged: a similarity of 4/5 in single precision is 20 points, not 20.0000003.
    SELECT
        * EXCLUDE (of_name, of_revenue, of_employees, of_industry),
        round(of_name, 4)::DOUBLE AS name_points,
        round(of_revenue, 4)::DOUBLE AS revenue_points,
        round(of_employees, 4)::DOUBLE AS employees_points,
        of_industry::DOUBLE AS industry_points,
        round(name_points + revenue_points + employees_points + industry_points, 4) AS score
    FROM points
)
SELECT
    *,
    least(
        row_number() OVER (PARTITION BY left_id, right_system ORDER BY score DESC, right_id),
        row_number() OVER (PARTITION BY right_id, left_system ORDER BY score DESC, left_id)
    ) AS place
FROM rounded;

INSERT INTO left_out
SELECT DISTINCT entity, '{many}'
FROM (SELECT unnest([left_id, right_id]) AS canonical_id FROM scored WHERE place > {most_matches})
JOIN entities USING (canonical_id);

WITH judged AS (
    SELECT
        scored.*, l.name AS left_name, r.name AS right_name,
        CASE WHEN score >= 90 THEN 'very_high' WHEN score >= 70 THEN 'high' WHEN score >= 50 THEN 'medium' ELSE 'low' END
            AS confidence,
        CASE WHEN score >= 80 THEN 'auto_merge' WHEN score >= 60 THEN 'review' ELSE 'investigate' END AS action,
        left_id || ' "' || l.name || '" and ' || right_id || ' "' || r.name || '"' AS both_of_them,
        concat_ws(
            ', ',
            CASE WHEN name_points < 20 THEN 'name' END,
            CASE WHEN revenue_points < 20 THEN 'revenue' END,
            CASE WHEN employees_points < 20 THEN 'employees' END,
            CASE WHEN industry_points < 20 THEN 'industry' END
        ) AS weak
    FROM scored
    JOIN entities AS l ON l.canonical_id = left_id
    JOIN entities AS r ON r.canonical_id = right_id
    WHERE place <= {most_matches}
)
SELECT
    * EXCLUDE (place, both_of_them, weak),
    CASE action
        WHEN 'auto_merge' THEN 'Merge ' || both_of_them || ' into one record'
        WHEN 'review' THEN 'Compare ' || both_of_them || ' by hand, and merge them if they are one business'
        ELSE 'Keep ' || both_of_them || ' apart unless another source shows that they are one business'
    END || CASE WHEN weak = '' THEN '.' ELSE ' (differing or missing: ' || weak || ').' END AS recommendation
FROM judged
ORDER BY left_id, right_id
