"""`init` writes files to start from, and never over a file."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from scanner.cli.commands.init import init
from scanner.config.starter import starter_text
from scanner.deploy import DEPLOYMENTS, deployment_files
from scanner.errors import ConfigError, OutputError

STARTER = starter_text()


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(init)
    return CliRunner().invoke(app, arguments)


def test_it_writes_the_starter_says_where_and_what_comes_next(tmp_path: Path) -> None:
    place = tmp_path / "mine.toml"
    result = run(str(place))
    assert result.exit_code == 0
    assert place.read_text() == STARTER
    assert [each.name for each in tmp_path.iterdir()] == ["mine.toml"]
    assert result.stdout == ""
    assert f"sgw-scanner check -c {place}" in result.stderr.replace("\n", " ")


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    place = tmp_path / "scanner.toml"
    place.write_text("mine")
    error = run(str(place)).exception
    assert isinstance(error, ConfigError)
    assert "scanner.toml: is there already and stays as it is" in str(error)
    assert place.read_text() == "mine"


def test_a_link_to_nowhere_counts_as_a_file_that_is_there(tmp_path: Path) -> None:
    place = tmp_path / "scanner.toml"
    place.symlink_to(tmp_path / "elsewhere.toml")
    assert "is there already" in str(run(str(place)).exception)
    assert not (tmp_path / "elsewhere.toml").exists()


@pytest.mark.parametrize(
    "place, remedy", [("missing/scanner.toml", "create it with: mkdir -p"), (".", "is a folder; name a file")]
)
def test_a_folder_that_is_missing_or_named_itself_is_an_error_with_its_remedy(
    place: str, remedy: str, tmp_path: Path
) -> None:
    error = run(str(tmp_path / place)).exception
    assert isinstance(error, OutputError)
    assert remedy in str(error)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_the_files_of_a_deployment_are_written_beside_the_configuration(name: str, tmp_path: Path) -> None:
    assert run(str(tmp_path / "scanner.toml"), "--with", name).exit_code == 0
    found = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert found == {**deployment_files(name), "scanner.toml": STARTER.encode()}


def test_a_deployment_joins_a_configuration_that_is_there(tmp_path: Path) -> None:
    place = tmp_path / "scanner.toml"
    place.write_text("mine")
    assert run(str(place), "--with", "alerts", "--with", "cron").exit_code == 0
    assert place.read_text() == "mine"
    assert {file.name for file in tmp_path.iterdir()} == {
        "scanner.toml",
        "prometheus-alerts.yml",
        "sgw-scanner.cron",
    }


def test_where_one_of_the_files_is_there_none_is_written(tmp_path: Path) -> None:
    (tmp_path / "sgw-scanner.timer").write_text("mine")
    assert isinstance(run(str(tmp_path / "scanner.toml"), "--with", "systemd").exception, ConfigError)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("sgw-scanner.timer", "mine")]


def test_the_schema_that_the_first_line_names_is_written_beside(tmp_path: Path) -> None:
    file = tmp_path / "scanner.toml"
    assert run(str(file), "--with", "schema").exit_code == 0
    named = file.read_text().splitlines()[0].removeprefix("#:schema ")
    assert json.loads((tmp_path / named).read_text())["title"] == "ScannerConfig"


def test_the_flag_of_every_other_command_names_the_configuration_too(tmp_path: Path) -> None:
    config = tmp_path / "fleet.toml"
    assert run("-c", str(config)).exit_code == 0
    assert run("-c", str(config), "--with", "cron").exit_code == 0
    assert config.read_text() == STARTER
    assert len(list(tmp_path.iterdir())) > 1
    assert isinstance(run(str(config), "-c", "other.toml").exception, ConfigError)


def test_a_dash_is_standard_output_and_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("-").stdout == STARTER
    assert isinstance(run("-", "--with", "cron").exception, ConfigError)
    assert not list(tmp_path.iterdir())
