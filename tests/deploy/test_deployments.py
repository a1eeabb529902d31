"""What an operator copies is in the package, and works as it stands."""

import importlib
from pathlib import Path
from typing import Any

import scanner.deploy
from scanner.config.settings import ScannerConfig
from scanner.deploy import DEPLOYMENTS, deployment_files

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
