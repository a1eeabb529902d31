"""A missing extra is named with a command that works here, before a release and after it."""

import subprocess
import sys

import pytest

from scanner import extras


def test_the_command_names_the_python_that_runs() -> None:
    assert extras.install_command("history") == f'{sys.executable} -m pip install "sgw-scanner[history]"'


def test_an_environment_without_pip_is_served_by_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "executable", "/opt/my tools/python")
    told = """uv pip install --python '/opt/my tools/python' "sgw-scanner[report]\""""
    assert extras.install_command("report") == told


def test_an_installed_scanner_is_looked_for_on_no_index() -> None:
    """It is not published yet; only what the extra adds has to be fetched, and here nothing is."""
    command = [sys.executable, "-m", "pip", "install", "--no-index", "--dry-run", "sgw-scanner[history]"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
