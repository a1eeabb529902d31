"""The file that `init` writes is the whole configuration, and right in every line."""

import re
import tomllib
import typing
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from scanner.config.settings import ScannerConfig
from scanner.config.starter import starter_text
from scanner.policy.rules import Policy

STARTER = starter_text()
UNCOMMENTED = re.sub(r"^#(?!:| |$)", "", STARTER, flags=re.MULTILINE)
EXAMPLES = {"scan.exclude_regions", "scan.details", "scan.deadline"}


SECTIONS = {"scan", "retry", "credentials", "policy", "output", "history", "notify", "telemetry", "lock"}


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from models_in(part)


def known(model: type[BaseModel], place: str = "") -> Iterator[str]:
    """Every key that a file may hold, by its dotted place."""
    for name, field in model.model_fields.items():
        inner = list(models_in(field.annotation))
        if field.exclude:
            continue
        if not inner:
            yield place + name
        for each in inner:
            yield from known(each, f"{place}{name}.")


def shown(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, dict) and not place.endswith((".tags", ".session_tags")):
        for name, inner in value.items():
            yield from shown(inner, f"{place}.{name}")
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for inner in value:
            yield from shown(inner, place)
    else:
        yield place.removeprefix(".")


def loaded(folder: Path, text: str) -> ScannerConfig:
    file = folder / "scanner.toml"
    file.write_text(text)
    return ScannerConfig.load(file, environ={})


def test_as_written_it_asks_for_the_defaults_and_an_rpo_of_a_day(tmp_path: Path) -> None:
    assert loaded(tmp_path, STARTER) == ScannerConfig(policy=Policy(rpo=timedelta(hours=24)))


def test_with_every_setting_in_force_it_still_loads(tmp_path: Path) -> None:
    config = loaded(tmp_path, UNCOMMENTED)
    assert config.organization
    assert [account.id for account in config.accounts] == ["111122223333", "222233334444"]


def test_every_key_that_there_is_stands_in_it_and_no_other() -> None:
    # Rules and waivers have the same conditions, which need standing there only once.
    stands = {
        place.replace(".waivers.match.", ".rules.match.") for place in shown(tomllib.loads(UNCOMMENTED), "")
    }
    assert stands == {place.replace(".waivers.match.", ".rules.match.") for place in known(ScannerConfig)}


def test_the_sections_can_be_read_before_any_of_their_settings_is_in_force() -> None:
    assert set(tomllib.loads(STARTER)) == SECTIONS


def test_what_it_shows_as_the_default_is_the_default(tmp_path: Path) -> None:
    config, default = loaded(tmp_path, UNCOMMENTED), ScannerConfig()
    for section in ("scan", "retry"):
        for name in type(getattr(config, section)).model_fields:
            same = getattr(getattr(config, section), name) == getattr(getattr(default, section), name)
            assert same != (f"{section}.{name}" in EXAMPLES), f"{section}.{name}"
    assert config.policy.warn_at == default.policy.warn_at
