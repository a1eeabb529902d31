"""What a worker is asked holds no secret: it has its own."""

import pickle
from pathlib import Path
from typing import Any

import pytest

from scanner.config.settings import ScannerConfig
from scanner.engine.scan import PlannedAccount
from scanner.errors import ConfigError
from scanner.scale.task import Task, tasks_of
from scanner.scale.worker import Refusal, scan_task

SECRET = "very-external-id-42"
ACCOUNTS = [{"id": f"{n:012d}", "role": "scan", "external_id": SECRET} for n in range(1, 4)]
CONFIG = "".join(
    f'[[accounts]]\nid = "{a["id"]}"\nrole = "scan"\nexternal_id = "{SECRET}"\n' for a in ACCOUNTS
)


def tasks(config: ScannerConfig, version: str = "0.1.0") -> list[Task]:
    accounts = [PlannedAccount(account, "Root/Prod") for account in config.accounts]
    return tasks_of(config, accounts, "scan-1", version, 2)


def config(**sections: Any) -> ScannerConfig:
    return ScannerConfig.model_validate({"accounts": ACCOUNTS, **sections})


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A worker without a configuration of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SGW_SCANNER_CONFIG", raising=False)
    return tmp_path


def test_a_task_holds_neither_external_ids_nor_whom_a_scan_tells() -> None:
    notify = {"urls": ["https://hooks.example.com/very-secret"]}
    (one, two) = tasks(config(notify=notify, history={"path": "history"}))
    packed = pickle.dumps([one, two])
    assert SECRET.encode() not in packed
    assert b"very-secret" not in packed
    assert repr(one) == "<Task 1 of scan-1: 2 accounts>"
    assert [one.key, two.key] == ["sgw-scanner-scan-1-1", "sgw-scanner-scan-1-2"]


def test_a_worker_fills_in_the_external_ids_of_its_own_configuration(elsewhere: Path) -> None:
    """The file that the scan was given, if it is there, else what the worker's environment leads to."""
    for name in "given.toml", "scanner.toml":
        (elsewhere / name).write_text(CONFIG)
        given = ScannerConfig.load(elsewhere / name)
        (task, _) = tasks(given)
        here = task.with_share(3, 60.0).config_here()
        assert [account.external_id for account in here.accounts] == [SECRET, SECRET]
        assert [each.ou_path for each in task.planned_here(here)] == ["Root/Prod"] * 2
        assert here.scan.max_concurrency == 3
        assert here.scan.deadline
        assert here.scan.deadline.total_seconds() == 60
        assert here.policy == given.policy
        (elsewhere / name).rename(elsewhere / "other.toml")


def test_the_external_id_of_an_organization_may_stand_in_the_workers_environment(
    monkeypatch: pytest.MonkeyPatch, elsewhere: Path
) -> None:
    (elsewhere / "scanner.toml").write_text('[organization]\nrole = "scan"\n')
    monkeypatch.setenv("SGW_SCANNER_ORGANIZATION__EXTERNAL_ID", SECRET)
    (task, _) = tasks(config())
    assert {account.external_id for account in task.config_here().accounts} == {SECRET}


def test_a_worker_without_the_external_id_says_what_it_lacks() -> None:
    (task, _) = tasks(config())
    with pytest.raises(
        ConfigError, match="no external id for the account 000000000001; give the worker the same"
    ):
        task.config_here()
    refusal = scan_task(task)
    assert isinstance(refusal, Refusal)
    assert "no external id" in refusal.message


def test_a_worker_of_another_version_refuses_before_any_call() -> None:
    refusal = scan_task(tasks(config(), "0.0.9")[0])
    assert isinstance(refusal, Refusal)
    assert refusal.message == "the worker has sgw-scanner 0.1.0, and the scan is of 0.0.9"
    assert refusal.remedy == "install sgw-scanner 0.0.9 on every worker"
