"""Every metric says which fleet it is of: two files in one folder of a collector hide nothing of each other."""

from io import BytesIO
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from scanner.config.settings import ScannerConfig
from scanner.output import prometheus
from tests.output.fleet import inventory


def test_every_sample_has_the_fleet_as_its_first_label() -> None:
    stream = BytesIO()
    prometheus.write(inventory(whole=False), stream, fleet='a "quoted" name')
    samples = [
        sample
        for family in text_string_to_metric_families(stream.getvalue().decode())
        for sample in family.samples
    ]
    assert {sample.labels["fleet"] for sample in samples} == {'a "quoted" name'}


@pytest.mark.parametrize(
    ("file", "text", "fleet"),
    [
        ("prod.toml", "", "prod"),
        ("europe/scanner.toml", "", "europe"),
        ("prod.toml", '[output]\nfleet = "all of it"\n', "all of it"),
    ],
)
def test_a_fleet_is_called_after_its_configuration(tmp_path: Path, file: str, text: str, fleet: str) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    assert ScannerConfig.load(path, environ={}).fleet == fleet


def test_without_a_working_folder_it_still_has_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert ScannerConfig().fleet == "fleet"
