"""What the documents lead to is there, and what there is stands in the documents."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from scanner.cli.app import app
from scanner.inventory.records import GatewayStatus, TargetStatus, VerdictStatus

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    page
    for folder in (".", "docs", "config", "benchmarks")
    for page in (ROOT / folder).glob("*.md")
    if page.name != "CHANGELOG.md"
)
COMMAND_LINE = (ROOT / "docs/cli.md").read_text()


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(group: Any, *path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *path, name)
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file of the project, and to a heading in it where one is named."""
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        place, _, heading = link.partition("#")
        if place.startswith("https:"):
            continue
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), f"{page.name} links to {link}, which is not there"
        assert not heading or heading in anchors(target), f"{page.name} links to {link}: no such heading"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_explained(name: str) -> None:
    """On the page of the command line, and in its own help."""
    command = COMMANDS[name]
    assert f"`{name}" in COMMAND_LINE
    assert command.help
    for parameter in command.params:
        for option in (*parameter.opts, *parameter.secondary_opts):
            if option.startswith("-") and option != "--help":
                assert re.search(rf"`{option}[` ]", COMMAND_LINE), f"{name} {option} is not explained"
                assert getattr(parameter, "help", None), f"{name} {option} has no help"


def test_every_verdict_and_every_way_of_not_being_read_has_its_row_of_advice() -> None:
    section = (ROOT / "docs/policy.md").read_text().partition("## What you see")[2].partition("\n## ")[0]
    rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| ")][2:]
    seen = " ".join(row[0] for row in rows)
    statuses = [*VerdictStatus, *GatewayStatus, *TargetStatus]
    well = {VerdictStatus.OK, GatewayStatus.SCANNED, TargetStatus.COMPLETE}
    fields = ["volumes_listed", "not_read", "last_known", "missing_shards", "*"]
    named = {*(each.value for each in statuses if each not in well), *fields}
    assert named == {each for each in named if f"`{each}`" in seen}
    assert all(len(row) == 3 and all(cell.strip(" |") for cell in row) for row in rows)
