-- One row for each group of entities that are one business, its values from the best members that have them.
WITH told AS (
    SELECT entity, list(DISTINCT canonical_id || ': ' || why) AS reasons
    FROM left_out JOIN entities USING (entity)
    GROUP BY entity
),
members AS (
    SELECT
        smallest.canonical_id AS golden_id, entities.*, reasons,
        row_number() OVER (
            ORDER BY entities.quality_score DESC NULLS LAST, entities.uploaded_at DESC NULLS LAST, entities.entity
        ) AS preference
    FROM entities
    LEFT JOIN groups USING (entity)
    LEFT JOIN told USING (entity)
    JOIN entities AS smallest ON smallest.entity = coalesce(golden, entities.entity)
),
golden AS (
    SELECT
        golden_id,
        list(canonical_id ORDER BY canonical_id) AS member_ids,
        count(*) AS member_count,
        list(DISTINCT source_system ORDER BY source_system) AS source_systems,
        arg_min(name, preference) AS name,
        arg_min(revenue, preference) FILTER (revenue IS NOT NULL) AS revenue,
        arg_min(employees, preference) FILTER (employees IS NOT NULL) AS employees,
        arg_min(industry, preference) FILTER (industry IS NOT NULL) AS industry,
        max(quality_score) AS quality_score,
        arg_min(canonical_id, preference) AS name_from,
        arg_min(canonical_id, preference) FILTER (revenue IS NOT NULL) AS revenue_from,
        arg_min(canonical_id, preference) FILTER (employees IS NOT NULL) AS employees_from,
        arg_min(canonical_id, preference) FILTER (industry IS NOT NULL) AS industry_from,
        list_sort(coalesce(flatten(list(reasons) FILTER (reasons IS NOT NULL)), [])) AS left_out
    FROM members
    GROUP BY golden_id
)
SELECT *, {entity_type} AS entity_type FROM golden ORDER BY golden_id
