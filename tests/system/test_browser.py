"""What a person sees: the graph, a materialization by click, check results, a picture. Screenshots are kept."""

from __future__ import annotations

import os
import re
from datetime import datetime, timezone
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from cli.demo.entities import entity_files, metric_files, relationship_files
from cli.demo.prices import price_files
from cli.demo.recordings import demo_files
from cli.demo.retina import retina_files
from cli.services.dagster_services import query
from cli.services.local_system import LocalSystem
from resources.catalog import connect
from resources.object_store import ObjectStore
from resources.settings import load_settings
from tests.system.chromium import PATIENCE_MS
from tests.system.screenshots import open_asset_graph
from tests.system.waiting import wait_until, wait_until_built
from vitalake.datasets.declared import DATASETS

pytestmark = [
    pytest.mark.system,
    pytest.mark.browser,
    pytest.mark.timeout(2400),  # the first starts a system and has a day of every dataset built
    pytest.mark.usefixtures("day"),
]

SCREENSHOTS = Path(os.environ.get("VITALAKE_SCREENSHOTS", "ci-output/screenshots"))
RUN = "query ($id: ID!) {runOrError(runId: $id) {... on Run {status}}}"


@pytest.fixture(scope="module")
def day(running: LocalSystem) -> str:
    """A day of demo data of every dataset, built by the sensors."""
    settings = load_settings(running.home)
    raw = ObjectStore(settings, settings.raw_bucket)
    today = datetime.now(timezone.utc).date()
    records = [*retina_files(today, days=1, per_day=20), *price_files(today), *entity_files(today)]
    records += [*relationship_files(today), *metric_files(today)]
    for file in [*demo_files(today, days=1), *records]:
        raw.put(file.key, file.data, expected=None)
    wait_until_built(settings, 1500)
    return today.isoformat()


def keep(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def succeeded(url: str, run_id: str) -> bool:
    """Whether a run has ended well; it may wait in the queue behind other runs."""
    state = query(url, RUN, id=run_id)["runOrError"]["status"]
    assert state not in ("FAILURE", "CANCELED")
    return bool(state == "SUCCESS")


def test_the_graph_shows_every_table(running: LocalSystem, page: Page) -> None:
    open_asset_graph(page, running.webserver_url)
    keep(page, "1-graph")


def test_checks_say_how_good_the_day_is(running: LocalSystem, page: Page) -> None:
    page.goto(f"{running.webserver_url}/assets/ecg_recordings?view=checks")
    page.get_by_text("quarantined", exact=True).first.click()
    expect(page.get_by_text(re.compile(r"\d+ of \d+ \(\d+\.\d%\)")).first).to_be_visible()
    keep(page, "2-checks")


def test_the_strips_are_a_picture(running: LocalSystem, page: Page, day: str) -> None:
    page.goto(f"{running.webserver_url}/assets/ecg_signals?view=events&partition={day}")
    page.get_by_text("Show Markdown").first.click()
    image = page.locator("img[src^='data:image/png']").first
    expect(image).to_be_visible()
    assert image.evaluate("element => element.naturalWidth") > 600
    keep(page, "3-strips")


def test_a_day_is_materialized_by_click(running: LocalSystem, page: Page, day: str) -> None:
    page.goto(f"{running.webserver_url}/assets/ecg_features?view=partitions&partition={day}")
    page.get_by_role("button", name=re.compile("Materialize")).first.click()
    launch = page.get_by_role("dialog").get_by_role("button", name=re.compile("Launch 1 run"))
    expect(launch).to_be_enabled()
    keep(page, "4-dialog")
    asked = "LaunchPipelineExecution"
    with page.expect_response(lambda response: asked in (response.request.post_data or "")) as launched:
        launch.click()
    run_id = launched.value.json()["data"]["launchPipelineExecution"]["run"]["id"]
    page.goto(f"{running.webserver_url}/runs")
    expect(page.get_by_text("Manually launched").first).to_be_visible()
    # Not by a click on its row: others begin by themselves meanwhile, and push it away.
    page.goto(f"{running.webserver_url}/runs/{run_id}")
    wait_until(lambda: succeeded(running.webserver_url, run_id), PATIENCE_MS / 1000, f"run {run_id} succeeds")
    expect(page.get_by_text(re.compile("Finished execution of run"))).to_be_visible()
    expect(page.get_by_text(re.compile("Materialized value ecg_features"))).to_be_visible()
    keep(page, "5-run")


def test_the_trends_of_every_dataset_are_pictures_of_one_asset(running: LocalSystem, page: Page) -> None:
    page.goto(f"{running.webserver_url}/assets/trends?view=events")
    asked = "LaunchPipelineExecution"
    with page.expect_response(lambda response: asked in (response.request.post_data or "")) as launched:
        page.get_by_role("button", name=re.compile("Materialize")).first.click()
    run_id = launched.value.json()["data"]["launchPipelineExecution"]["run"]["id"]
    page.goto(f"{running.webserver_url}/runs/{run_id}")
    materialized = page.get_by_text(re.compile("Materialized value trends"))
    wait_until(lambda: succeeded(running.webserver_url, run_id), PATIENCE_MS / 1000, f"run {run_id} succeeds")
    expect(materialized).to_be_visible()
    page.goto(f"{running.webserver_url}/assets/trends?view=events")
    for trend in (trend for dataset in DATASETS for trend in dataset.trends):
        expect(page.get_by_text(trend.name, exact=True).first).to_be_visible()
    page.get_by_text("Show Markdown").first.click()
    image = page.locator("img[src^='data:image/png']").first
    expect(image).to_be_visible()
    assert image.evaluate("element => element.naturalWidth") > 600
    keep(page, "9-trends")


def test_tables_over_all_days_and_copies_follow_by_themselves(running: LocalSystem) -> None:
    settings = load_settings(running.home)
    restricted = ObjectStore(settings, settings.restricted_bucket)

    def followed() -> bool:
        with connect(settings) as connection:
            [golden] = connection.execute("SELECT count(*) FROM entities_golden").fetchone() or (0,)
        return golden > 0 and bool(restricted.objects("exports/"))

    wait_until(followed, PATIENCE_MS / 1000, "golden records and the export of patients")


@pytest.mark.parametrize(
    ("table", "source", "column", "check"),
    [
        ("retina_scans", "raw_retina", "Cup-to-disc", "warned"),
        ("pricing_instances", "raw_pricing", "US dollars", "repeated_keys"),
        ("entities_records", "raw_entities", "canonical", "reconciled"),
        ("entity_relationships", "raw_entity_relationships", "parent", "refused"),
        ("entity_metrics", "raw_entity_metrics", "Unit", "refused"),
    ],
)
def test_each_dataset_shows_columns_lineage_counts_and_checks(
    running: LocalSystem, page: Page, table: str, source: str, column: str, check: str
) -> None:
    asset = f"{running.webserver_url}/assets/{table}"
    page.goto(f"{asset}?view=overview")
    expect(page.get_by_text(column).first).to_be_visible()
    keep(page, f"6-{table}-columns")
    page.goto(f"{asset}?view=lineage")
    expect(page.get_by_text(source, exact=True).first).to_be_visible()
    keep(page, f"7-{table}-lineage")
    page.goto(f"{asset}?view=events")
    expect(page.get_by_text("partition_row_count").first).to_be_visible()
    page.goto(f"{asset}?view=checks")
    page.get_by_text(check, exact=True).first.click()
    expect(page.get_by_text(re.compile(r"\d+ of \d+ \(\d+\.\d%\)")).first).to_be_visible()
    keep(page, f"8-{table}-check")
