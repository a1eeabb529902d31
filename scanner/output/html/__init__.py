"""A scan as one page that opens offline: what needs action, what was not read, then every volume."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import BinaryIO

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from scanner.inventory.model import Inventory
from scanner.output import text
from scanner.output.html import facts as limits
from scanner.output.html.ages import STATES, chart_of
from scanner.output.html.cells import SIGNS, SYMBOLS, WAIVED
from scanner.output.html.data import packed, page_data
from scanner.output.html.facts import facts_of
from scanner.output.html.over_time import endangered, line_of, named, per_day, told
from scanner.summary.past import Past, key_of

SCRIPTS = ("words.js", "volumes.js", "state.js", "filters.js", "table.js", "volume.js", "heat.js", "page.js")
"""One script, in the order in which its parts stand in the page."""
_CHARTS = {"wide": (980, 250), "narrow": (360, 230)}
"""Width and height of the chart of ages on a desk and on a phone, in pixels."""
_LINES = {"wide": (980, 170), "narrow": (360, 160)}
"""The same of compliance over time."""


def write(inventory: Inventory, stream: BinaryIO, past: Past | None = None) -> None:
    """Writes a page that asks no network for anything, and that nothing in it can make ask.

    `past` is what a history knows beside the inventory.
    """
    script, style = _script(), _asset("page.css")
    facts = facts_of(inventory, past)
    page = _template().generate(
        facts=facts,
        inventory=inventory,
        charts={name: chart_of(facts.ages, *size) for name, size in _CHARTS.items()},
        lines={name: line_of(past.scans, *size) for name, size in _LINES.items()} if past else {},
        endangered=endangered(inventory, past) if past else [],
        days=per_day(past.scans) if past else [],
        past=past,
        states=STATES,
        symbols=SYMBOLS,
        signs=SIGNS,
        waived=WAIVED,
        limits=limits,
        policy=_policy(script, style),
        script=Markup(script),
        style=Markup(style),
        data=Markup(packed(page_data(facts))),
    )
    for piece in page:
        stream.write(piece.encode())


def _policy(script: str, style: str) -> str:
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(source: str) -> str:
    return "sha256-" + b64encode(sha256(source.encode()).digest()).decode()


@cache
def _script() -> str:
    # In a block of its own, names of one part are known to the others and to nothing else on the page.
    return '"use strict";\n{\n' + "\n".join(_asset(name) for name in SCRIPTS) + "}\n"


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "shown": text.printable,
        "size": text.size,
        "age": text.age_of,
        "duration": text.age,
        "rpo": text.rpo_of,
        "number": "{:,}".format,
        "region": text.region_name,
        "moment": "{:%Y-%m-%d %H:%M} UTC".format,
        "told": told,
        "key": key_of,
        "day": "{:%Y-%m-%d}".format,
        "percent": lambda share: "nothing rated" if share is None else f"{share * 100:.2f} %",
        "words": lambda status: status.replace("_", " "),
    }
    environment.globals |= {"gateway_label": text.gateway_label, "named": named}
    return environment.from_string(_asset("page.html.j2"))
