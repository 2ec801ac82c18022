"""Questions that show what a lake with the demo data answers: one of each dataset, and what was left out.

Belongs here: SQL for a first look, and its titles. Does not belong here: running it (`cli/up.py`).
"""

from __future__ import annotations

# One of each dataset, and what was left out; all together they fit a screen.
ANSWERS = {
    "ecg": (
        "Recordings by verdict",
        "SELECT verdict, count(DISTINCT recording_id) AS recordings, round(avg(heart_rate_bpm)) AS mean_bpm\n"
        "FROM ecg_recordings JOIN ecg_features USING (recording_id, date) GROUP BY ALL ORDER BY ALL",
    ),
    "retina": (
        "Scans by diagnosis, without names",
        "SELECT diagnosis, count(*) AS scans, round(avg(optic_disc_cup_ratio), 2) AS mean_cup_ratio\n"
        "FROM retina_scans GROUP BY ALL ORDER BY scans DESC LIMIT 3",
    ),
    "pricing": (
        "The cheapest processor of each region",
        "SELECT region, arg_min(instance_type, price_usd_per_h / vcpu_count) AS instance_type, count(*) AS offers\n"
        "FROM pricing_instances_current GROUP BY ALL ORDER BY ALL",
    ),
    "entities": (
        "One business in several source systems",
        "SELECT name, member_ids, revenue::BIGINT AS revenue_usd FROM entities_golden WHERE member_count > 1\n"
        "ORDER BY name",
    ),
    "entity_relationships": (
        "Links between businesses",
        "SELECT relationship_type, count(*) AS links FROM entity_relationships_current GROUP BY ALL ORDER BY ALL",
    ),
    "entity_metrics": (
        "What the best customers brought in",
        "SELECT name, sum(value)::BIGINT AS usd FROM entity_metrics_current JOIN entities_current\n"
        "USING (canonical_id) WHERE metric_name = 'revenue' GROUP BY name ORDER BY usd DESC LIMIT 3",
    ),
}
LEFT_OUT = (
    "What could not be used: the rules that refused it (docs/rules.md)",
    "SELECT dataset, count(DISTINCT source_key) AS objects, sum(record_count) AS records,\n"
    "  string_agg(DISTINCT rule, ' ' ORDER BY rule) AS rules FROM quarantine GROUP BY ALL ORDER BY ALL",
)
