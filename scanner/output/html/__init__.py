"""A scan as one page that opens offline: coverage first, then verdicts, then every volume."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import BinaryIO

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from scanner.inventory.model import Inventory
from scanner.output import text
from scanner.output.html.cells import SIGNS, SYMBOLS
from scanner.output.html.data import packed, page_data
from scanner.output.html.facts import BARS, FEW, MOST_ACCOUNTS, MOST_ROWS, facts_of

SCRIPTS = ("words.js", "table.js", "charts.js", "page.js")
"""One script, in the order in which its parts stand in the page."""


def write(inventory: Inventory, stream: BinaryIO) -> None:
    """Writes a page that asks no network for anything, and that nothing in it can make ask."""
    script, style = _script(), _asset("page.css")
    chart_library, chart_hash = _plotly()
    page = _template().generate(
        facts=(facts := facts_of(inventory)),
        inventory=inventory,
        symbols=SYMBOLS,
        signs=SIGNS,
        few=FEW,
        bars=BARS,
        most=MOST_ROWS,
        most_accounts=MOST_ACCOUNTS,
        policy=_policy(script, chart_hash),
        script=Markup(script),
        style=Markup(style),
        data=Markup(packed(page_data(facts))),
        chart_library=chart_library,
    )
    for piece in page:
        stream.write(piece.encode())


def _policy(script: str, chart_hash: str) -> str:
    # Plotly builds style sheets and attributes of its own at run time, hence unsafe-inline for styles,
    # which can load nothing here. Scripts are these two and no others, by their hashes.
    return (
        f"default-src 'none'; script-src '{_hash(script)}' '{chart_hash}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(source: str) -> str:
    return "sha256-" + b64encode(sha256(source.encode()).digest()).decode()


@cache
def _plotly() -> tuple[Markup, str]:
    # The library's size is most of the page's: packed it is 2 MB instead of 5.
    source: str = get_plotlyjs()
    return Markup(packed(source)), _hash(source)


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
        "rpo": text.rpo_of,
        "number": "{:,}".format,
        "region": text.region_name,
        "moment": "{:%Y-%m-%d %H:%M:%S} UTC".format,
        "words": lambda status: status.replace("_", " "),
    }
    environment.globals["gateway_label"] = text.gateway_label
    return environment.from_string(_asset("page.html.j2"))
