"""What the documents lead to is there, and what there is stands in the documents."""

import ast
import re
import shlex
import textwrap
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

from scanner.cli.app import app
from scanner.config import ScannerConfig
from scanner.inventory.records import GatewayStatus, TargetStatus, VerdictStatus

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```", re.M | re.S)
USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]
"""Typer brings a click of its own, or takes the one that is installed."""
PROGRAM = ("sgw-scanner", ".venv/bin/sgw-scanner")
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


def blocks(page: Path, language: str) -> list[str]:
    return [textwrap.dedent(text) for _, kind, text in FENCE.findall(page.read_text()) if kind == language]


def command_lines(page: Path) -> Iterator[list[str]]:
    """What the console blocks of a page call us with, without what other commands of a line do."""
    for block in blocks(page, "console"):
        for line in re.sub(r"\\\n", " ", block).splitlines():
            if not line.startswith("$ "):
                continue
            lexer = shlex.shlex(line[2:], posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            words: list[str] = []
            for token in (*lexer, ";"):
                if set(token) <= set("();<>|&"):
                    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                        del words[0]
                    if words and words[0] in PROGRAM:
                        yield words[1:]
                    words = []
                else:
                    words.append(token)


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_line_is_one_that_the_program_takes(page: Path) -> None:
    for words in command_lines(page):
        command: Any = typer.main.get_command(app)
        rest = words
        while rest and rest[0] in getattr(command, "commands", ()):
            command, rest = command.commands[rest[0]], rest[1:]
        try:
            command.make_context(command.name, list(rest))
        except typer.Exit:
            pass
        except USAGE_ERROR as error:
            pytest.fail(f"{page.name}: sgw-scanner {shlex.join(words)}: {error}")


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_python_block_imports_what_is_there(page: Path) -> None:
    for block in blocks(page, "python"):
        # Some await outside of a function, as a reader's own function would.
        tree = compile(block, page.name, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("scanner"):
                module = import_module(node.module or "")
                missing = [each.name for each in node.names if not hasattr(module, each.name)]
                assert not missing, f"{page.name}: {node.module} has no {missing}"


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_toml_block_is_a_configuration_that_loads(page: Path, tmp_path: Path) -> None:
    """As it stands: who copies it meets no mistake of ours."""
    for block in blocks(page, "toml"):
        file = tmp_path / "scanner.toml"
        file.write_text(block)
        ScannerConfig.load(file, environ={})


def test_no_document_holds_what_a_merge_left() -> None:
    texts = [
        page for folder in ("docs", "scanner", "tests", "config") for page in (ROOT / folder).rglob("*.*")
    ]
    left = [
        str(page.relative_to(ROOT))
        for page in (*texts, *ROOT.glob("*.md"))
        if page.suffix in (".md", ".toml", ".yml", ".yaml", ".json", ".sql", ".py")
        and re.search(r"^(?:<{7}|>{7}) ", page.read_text(), re.M)
    ]
    assert not left


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
