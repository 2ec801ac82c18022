"""The `dagster.yaml` that `vitalake up` writes: the limit of runs at once is the environment's, if it names one."""

from __future__ import annotations

from pathlib import Path

import pytest
from dagster import DagsterInstance

from cli.services.dagster_services import instance_yaml
from resources.settings import Settings
from vitalake.errors import PermanentError

DEFAULT = Settings.model_fields["max_concurrent_runs"].default


@pytest.mark.parametrize(("env", "limit"), [({}, DEFAULT), ({"VITALAKE_MAX_CONCURRENT_RUNS": "7"}, 7)])
def test_dagster_reads_the_limit_of_runs_at_once(env: dict[str, str], limit: int, tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text(instance_yaml(env))
    with DagsterInstance.from_config(str(tmp_path)) as instance:
        queue = instance.get_concurrency_config().run_queue_config
        assert queue is not None
        assert queue.max_concurrent_runs == limit
        assert [tag["key"] for tag in queue.tag_concurrency_limits or ()] == ["vitalake/partition"]


@pytest.mark.parametrize("wrong", ["0", "-1", "two", "1.5", "1\n  x: 2"])
def test_a_limit_that_is_no_number_of_runs_is_refused_with_the_name_of_the_variable(wrong: str) -> None:
    with pytest.raises(PermanentError, match="VITALAKE_MAX_CONCURRENT_RUNS"):
        instance_yaml({"VITALAKE_MAX_CONCURRENT_RUNS": wrong})
