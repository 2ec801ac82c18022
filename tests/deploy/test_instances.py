"""The `dagster.yaml` of each way to run at scale, loaded by Dagster itself: unknown keys are errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from dagster import DagsterInstance, DagsterInvalidConfigError, DagsterRun
from dagster._core.run_coordinator import QueuedRunCoordinator
from dagster_aws.ecs import EcsRunLauncher
from dagster_aws.s3 import S3ComputeLogManager
from dagster_k8s import K8sRunLauncher
from dagster_k8s.container_context import K8sContainerContext
from dagster_k8s.job import construct_dagster_k8s_job
from dagster_postgres import PostgresRunStorage

from tests.moto_server import moto_server
from tests.postgres_server import new_database
from tests.s3_server import KEYS

ROOT = Path(__file__).resolve().parents[2]
ECS, K8S = "dagster-ecs.yaml", "dagster-k8s.yaml"
KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: nowhere
clusters: [{name: nowhere, cluster: {server: "http://127.0.0.1:1"}}]
contexts: [{name: nowhere, context: {cluster: nowhere, user: nobody}}]
users: [{name: nobody, user: {}}]
"""

Load = Callable[[dict[str, Any]], DagsterInstance]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """AWS with the task definition that the infrastructure would have made."""
    with moto_server(tmp_path_factory.mktemp("moto")) as endpoint:
        keys: Any = {name.lower(): value for name, value in KEYS.items()}
        ecs: Any = boto3.client("ecs", endpoint_url=endpoint, region_name="eu-central-1", **keys)
        container: Any = {"name": "run", "image": "registry.example/vitalake:1", "memory": 2048}
        ecs.register_task_definition(family="vitalake-run", containerDefinitions=[container])
        yield endpoint


@pytest.fixture(scope="module")
def database(postgres_url: str) -> str:
    """An empty database for Dagster's storage."""
    return new_database(postgres_url, "instances")


@pytest.fixture
def load(aws: str, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Loads an instance with everything in it; in a cluster but for the cluster."""
    variables = {
        "AWS_ENDPOINT_URL": aws,
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "VITALAKE_POSTGRES_URL": database,
        "VITALAKE_LOGS_BUCKET": "logs",
        "VITALAKE_MAX_CONCURRENT_RUNS": "50",
        "VITALAKE_RUN_TASK_DEFINITION": "vitalake-run",
        "VITALAKE_IMAGE": "registry.example/vitalake:1",
        "VITALAKE_K8S_NAMESPACE": "health",
        "VITALAKE_K8S_SERVICE_ACCOUNT": "vitalake-run",
        "VITALAKE_K8S_INSTANCE_CONFIG_MAP": "vitalake-instance",
        "VITALAKE_K8S_CONFIG_MAP": "vitalake-settings",
        "VITALAKE_K8S_SECRET": "vitalake-secrets",
        **KEYS,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "kubeconfig").write_text(KUBECONFIG)
    opened: list[DagsterInstance] = []

    def load(config: dict[str, Any]) -> DagsterInstance:
        config = deepcopy(config)
        if config["run_launcher"]["class"] == "K8sRunLauncher":
            outside = {"load_incluster_config": False, "kubeconfig_file": str(tmp_path / "kubeconfig")}
            config["run_launcher"]["config"].update(outside)
        (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(config))
        instance = DagsterInstance.from_config(str(tmp_path))
        opened.append(instance)
        # Each of these is made, and its configuration checked, only when it is asked for.
        assert instance.run_launcher
        assert instance.run_coordinator
        assert instance.compute_log_manager
        assert instance.get_runs() == []
        return instance

    yield load
    for instance in opened:
        instance.dispose()


def config_of(name: str) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / name).read_text())
    return config


@pytest.mark.parametrize("name", [ECS, K8S])
def test_storage_queue_and_logs_are_those_of_a_deployment(load: Load, name: str) -> None:
    instance = load(config_of(name))
    assert isinstance(instance.run_storage, PostgresRunStorage)
    assert isinstance(instance.compute_log_manager, S3ComputeLogManager)
    assert isinstance(instance.run_coordinator, QueuedRunCoordinator)
    queue = instance.get_concurrency_config().run_queue_config
    assert queue is not None
    assert queue.max_concurrent_runs == 50
    assert [limit["key"] for limit in queue.tag_concurrency_limits or ()] == ["vitalake/partition"]
    assert instance.run_monitoring_enabled
    assert instance.run_monitoring_max_resume_run_attempts == 0
    assert instance.run_launcher.supports_check_run_worker_health
    assert (instance.run_retries_enabled, instance.run_retries_max_retries) == (True, 3)
    assert not instance.telemetry_enabled


@pytest.mark.parametrize("name", [ECS, K8S])
def test_what_has_no_reason_to_differ_is_what_runs_on_one_machine(name: str) -> None:
    here, there = yaml.safe_load((ROOT / "dagster.yaml").read_text()), config_of(name)
    for section in ("telemetry", "nux", "run_retries", "sensors", "retention"):
        assert there[section] == here[section], section
    limits = there["run_coordinator"]["config"]["tag_concurrency_limits"]
    assert limits == here["concurrency"]["runs"]["tag_concurrency_limits"]


def test_a_run_in_ecs_has_its_own_task_definition_and_resources(load: Load) -> None:
    launcher = load(config_of(ECS)).run_launcher
    assert isinstance(launcher, EcsRunLauncher)
    assert str(launcher.task_definition).endswith(":task-definition/vitalake-run:1")
    assert launcher.run_resources == {"cpu": "1024", "memory": "2048"}
    assert launcher.secrets_tags == []


def job_of(launcher: object) -> dict[str, Any]:
    """The job that Kubernetes would be asked for."""
    assert isinstance(launcher, K8sRunLauncher)
    context = K8sContainerContext.create_for_run(DagsterRun("ecg_job"), launcher, include_run_tags=False)
    config = context.get_k8s_job_config(job_image=None, run_launcher=launcher)
    job: dict[str, Any] = construct_dagster_k8s_job(
        config, args=["dagster"], job_name="run", user_defined_k8s_config=context.run_k8s_config
    ).to_dict()
    return {"namespace": context.namespace, **job["spec"]}


def test_a_run_in_kubernetes_is_a_bounded_pod_without_rights_in_the_cluster(load: Load) -> None:
    job = job_of(load(config_of(K8S)).run_launcher)
    pod = job["template"]["spec"]
    (container,) = pod["containers"]
    assert (job["namespace"], job["backoff_limit"]) == ("health", 0)
    assert (pod["service_account_name"], pod["automount_service_account_token"]) == ("vitalake-run", False)
    assert container["image"] == "registry.example/vitalake:1"
    assert container["resources"]["limits"] == {"cpu": "1", "memory": "2Gi"}
    assert container["security_context"]["run_as_non_root"] is True
    sources = [source.get("config_map_ref") or source.get("secret_ref") for source in container["env_from"]]
    assert [source["name"] for source in sources] == ["vitalake-settings", "vitalake-secrets"]


@pytest.mark.parametrize("name", [ECS, K8S])
@pytest.mark.parametrize(
    "where",
    [
        (),
        ("run_monitoring",),
        ("run_retries",),
        ("sensors",),
        ("retention", "sensor"),
        ("storage", "postgres"),
        ("compute_logs", "config"),
        ("run_coordinator", "config"),
        ("run_launcher", "config"),
    ],
)
def test_a_wrong_key_anywhere_is_refused(load: Load, name: str, where: tuple[str, ...]) -> None:
    config = config_of(name)
    inner = config
    for key in where:
        inner = inner[key]
    inner["vitalake_typo"] = 1
    with pytest.raises(DagsterInvalidConfigError, match="vitalake_typo"):
        load(config)


@pytest.mark.parametrize("where", [("container_config",), ("container_config", "resources"), ("job_spec_config",)])
def test_a_wrong_key_of_kubernetes_is_refused(load: Load, where: tuple[str, ...]) -> None:
    """Dagster's schema lets these pass; the model of the job does not."""
    config = config_of(K8S)
    inner = config["run_launcher"]["config"]["run_k8s_config"]
    for key in where:
        inner = inner[key]
    inner["vitalake_typo"] = 1
    launcher = load(config).run_launcher
    with pytest.raises(Exception, match="vitalake_typo"):
        job_of(launcher)
