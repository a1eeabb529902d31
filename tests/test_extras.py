"""A missing extra is told with a command that works where this process runs."""

import sys
from importlib import import_module

import pytest

from scanner.extras import install_command


def test_it_installs_into_the_environment_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell's own pip may belong to another, or refuse."""
    monkeypatch.setattr(sys, "executable", "/opt/my tools/bin/python")
    assert install_command("parquet") == "'/opt/my tools/bin/python' -m pip install \"sgw-scanner[parquet]\""


def test_an_environment_that_uv_made_has_no_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("scanner.extras"), "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "executable", "/v/bin/python")
    assert install_command("all") == 'uv pip install --python /v/bin/python "sgw-scanner[all]"'
