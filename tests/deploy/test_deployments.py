"""What an operator copies is in the package, and works as it stands."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from cfnlint.api import lint_all
from cfnlint.decode import decode_str

import scanner.deploy
from scanner.config.settings import ScannerConfig
from scanner.deploy import DEPLOYMENTS, deployment_files

KUBERNETES = "1.31"
FOLDER = Path(scanner.deploy.__file__).parent


def documents(name: str) -> list[Any]:
    # Typed as Any, for PyYAML comes without types.
    yaml: Any = importlib.import_module("yaml")
    return list(yaml.safe_load_all((FOLDER / name).read_text()))


def test_every_file_of_the_package_belongs_to_a_deployment_and_is_given_whole() -> None:
    files = {file for file in FOLDER.rglob("*") if file.is_file() and file.suffix not in (".py", ".pyc")}
    assert files == {FOLDER / path for paths in DEPLOYMENTS.values() for path in paths}
    given = {name: content for each in DEPLOYMENTS for name, content in deployment_files(each).items()}
    assert given == {file.name: file.read_bytes() for file in files}


MANIFESTS = sorted({path for paths in DEPLOYMENTS.values() for path in paths
                    if path.startswith("kubernetes/") and "kustomization" not in path})  # fmt: skip
TEMPLATES = [path for paths in DEPLOYMENTS.values() for path in paths if path.startswith("aws/")]


@pytest.mark.parametrize("path", MANIFESTS)
def test_manifests_are_as_kubernetes_publishes_them(path: str) -> None:
    """Strictly: a field that does not exist is a mistake, too."""
    found = documents(path)
    assert found
    for document in found:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)


def pods(path: str) -> Iterator[Any]:
    for document in documents(path):
        spec = document.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            yield spec["template"]


@pytest.mark.parametrize("path", ["cronjob", "shards", "serve"])
def test_a_pod_holds_no_token_of_kubernetes_and_writes_to_tmp_alone(path: str) -> None:
    """And the policy that keeps all others away is about it."""
    (pod,) = pods(f"kubernetes/{path}.yaml")
    (policy,) = documents("kubernetes/network-policy.yaml")
    assert pod["metadata"]["labels"].items() >= policy["spec"]["podSelector"]["matchLabels"].items()
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    (container,) = pod["spec"]["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert [mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")] == [
        "/tmp"
    ]


def test_serving_is_probed_and_reached_by_the_port_that_it_listens_at() -> None:
    deployment, service, policy = documents("kubernetes/serve.yaml")
    pod = deployment["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    (port,) = container["ports"]
    assert f"0.0.0.0:{port['containerPort']}" in container["args"]
    probes = {container[name]["httpGet"]["path"]: container[name]["httpGet"]["port"]
              for name in ("livenessProbe", "readinessProbe")}  # fmt: skip
    assert probes == {"/healthz": port["name"], "/readyz": port["name"]}
    assert service["spec"]["selector"] == pod["metadata"]["labels"]
    assert policy["spec"]["podSelector"]["matchLabels"] == pod["metadata"]["labels"]
    assert service["spec"]["ports"][0]["targetPort"] == port["name"]


def test_the_kustomization_is_written_with_all_that_it_names() -> None:
    (base,) = documents("kubernetes/kustomization.yaml")
    assert {*base["resources"], "shards.yaml", "kustomization.yaml"} == set(deployment_files("kustomize"))
    images = {f"{image['name']}:{image['newTag']}" for image in base["images"]}
    used = {container["image"] for name in deployment_files("kustomize") if name != "kustomization.yaml"
            for pod in pods(f"kubernetes/{name}") for container in pod["spec"]["containers"]}  # fmt: skip
    assert used == images


@pytest.mark.parametrize("path", TEMPLATES)
def test_templates_are_as_cloudformation_takes_them(path: str) -> None:
    """The state machine inside is checked as well. What is only information is none of ours."""
    found = lint_all((FOLDER / path).read_text())
    assert [str(mistake) for mistake in found if not mistake.rule.id.startswith("I")] == []


def test_the_cron_entry_names_its_time_its_user_and_a_scan_that_says_only_what_has_to_be_read() -> None:
    (entry,) = [line for line in (FOLDER / "sgw-scanner.cron").read_text().splitlines() if line[:1].isdigit()]
    *when, user, command = entry.split(None, 6)[:7]
    assert len(when) == 5
    assert user == "sgw-scanner"
    assert "%" not in command
    *before, scan = command.split(" && ")
    assert before == ["umask 027", "cd /var/lib/sgw-scanner"]
    assert scan == "sgw-scanner scan --quiet --config /etc/sgw-scanner/scanner.toml"


def test_the_cronjob_mounts_a_configuration_that_loads(tmp_path: Path) -> None:
    account, mapped, job = documents("kubernetes/cronjob.yaml")
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["serviceAccountName"] == account["metadata"]["name"]
    assert {volume["name"] for volume in pod["volumes"]} == {
        mount["name"] for mount in container["volumeMounts"]
    }
    file = tmp_path / "scanner.toml"
    file.write_text(mapped["data"]["scanner.toml"])
    environ = {entry["name"]: "shared" for entry in container["env"] if entry["name"].startswith("SGW_")}
    config = ScannerConfig.load(file, environ=environ)
    assert config.organization
    assert config.organization.external_id == "shared"
    limit = job["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"]
    assert config.scan.deadline
    assert config.scan.deadline.total_seconds() < limit


def test_a_sharded_job_retries_what_may_mend_and_no_good_shard() -> None:
    (job,) = documents("kubernetes/shards.yaml")
    spec = job["spec"]
    rules = {code: rule["action"] for rule in spec["podFailurePolicy"]["rules"] if "onExitCodes" in rule
             for code in rule["onExitCodes"]["values"]}  # fmt: skip
    assert rules == {1: "FailIndex", 3: "FailIndex", 2: "FailJob", 4: "Count", 75: "Count"}
    (container,) = spec["template"]["spec"]["containers"]
    assert spec["completionMode"] == "Indexed"
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert {"name": "SGW_SCANNER_SHARDS", "value": str(spec["completions"])} in container["env"]
    assert container["args"][container["args"].index("--shard") + 1] == "auto"
    assert any("controller-uid" in str(entry) for entry in container["env"] if entry["name"] == "SCAN_ID")


def test_an_array_job_tries_again_what_may_mend_and_no_good_shard() -> None:
    template, _ = decode_str((FOLDER / "aws/batch.yaml").read_text())
    shard = template["Resources"]["Shard"]["Properties"]
    rules = {
        rule.get("OnExitCode", "else"): rule["Action"] for rule in shard["RetryStrategy"]["EvaluateOnExit"]
    }
    assert rules == {"1": "EXIT", "3": "EXIT", "2": "EXIT", "4": "RETRY", "75": "RETRY", "else": "RETRY"}
    for definition in template["Resources"].values():
        command = definition["Properties"]["ContainerProperties"]["Command"]
        assert command[:2] == ["sh", "-c"]
        # `$0` of that shell is the parameter that all shards share.
        assert command[3] == "Ref::scan_id"
        assert definition["Properties"]["Parameters"] == {"scan_id": "scan"}


def test_a_dask_cluster_is_reached_by_its_own_pods_over_tls_only() -> None:
    found = {(each["kind"], each["metadata"]["name"]): each for each in documents("kubernetes/dask.yaml")}
    settings = found["ConfigMap", "sgw-dask"]["data"]
    assert settings["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"] == "true"
    pods = [each["spec"]["template"] for (kind, _), each in found.items() if kind in ("Deployment", "Job")]
    policy = found["NetworkPolicy", "sgw-dask"]["spec"]
    only = policy["podSelector"]["matchLabels"]
    assert policy["ingress"] == [{"from": [{"podSelector": {"matchLabels": only}}]}]
    for pod in pods:
        assert only.items() <= pod["metadata"]["labels"].items()
        (container,) = pod["spec"]["containers"]
        assert "tcp://" not in str(container)
        assert {mount["name"] for mount in container["volumeMounts"]} == {
            volume["name"] for volume in pod["spec"]["volumes"]
        }
    job = found["Job", "sgw-scanner-dask"]["spec"]
    rules = {code: rule["action"] for rule in job["podFailurePolicy"]["rules"]
             for code in rule["onExitCodes"]["values"]}  # fmt: skip
    assert rules == {1: "FailJob", 2: "FailJob", 3: "FailJob", 4: "Count", 75: "Count"}
