"""The pages of docs/reference/ that follow from the code."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from scanner.config.schema import config_schema

PACKAGES = (
    "scanner",
    "scanner.inventory",
    "scanner.config",
    "scanner.policy",
    "scanner.summary",
    "scanner.output",
    "scanner.history",
    "scanner.notify",
    "scanner.serve",
    "scanner.scale",
)
"""The packages with public names; what is in no `__all__` of theirs may change at any time."""
NOTHING: tuple[Any, ...] = (None, [], {}, "")


def configuration_page() -> str:
    """Every table and key of `scanner.toml`, with its type, its default and what it does."""
    schema = config_schema()
    lines = [
        "# Configuration",
        "",
        "Every table and key of `scanner.toml`. `sgw-scanner init` writes a file that explains them in their order;",
        "`sgw-scanner schema config` prints the schema that this page is made of. Flags override variables, as",
        "`SGW_SCANNER_SCAN__MAX_CONCURRENCY`, which override the file.",
    ]
    for name, table in schema["properties"].items():
        lines += _table(schema, name, table)
    return "\n".join(lines) + "\n"


def library_page() -> str:
    """Every public name of the library, as its docstring explains it."""
    lines = [
        "# Library",
        "",
        "Every public name. [The library](../library.md) shows how they are used together.",
    ]
    seen: list[object] = []
    for package in PACKAGES:
        module = import_module(package)
        lines += [
            "",
            f"## {package}",
            "",
            (module.__doc__ or "").strip().splitlines()[0],
            "",
            "```{eval-rst}",
        ]
        for name in module.__all__:
            value = getattr(module, name)
            if name == "__version__" or (callable(value) and value in seen):
                continue
            if callable(value):
                seen.append(value)
            kind = _kind(value)
            if kind == "data":
                # A plain value has no docstring of its own: autodoc would print that of its type.
                lines += [f".. py:data:: {package}.{name}", ""]
                continue
            members = ["   :members:", "   :exclude-members: model_config, model_post_init"]
            lines += [f".. auto{kind}:: {package}.{name}", *(members if kind == "class" else ()), ""]
        lines += ["```"]
    return "\n".join(lines) + "\n"


def _kind(value: object) -> str:
    if isinstance(value, type):
        return "exception" if issubclass(value, Exception) else "class"
    return "function" if callable(value) and hasattr(value, "__code__") else "data"


def _table(schema: dict[str, Any], path: str, table: dict[str, Any]) -> Iterator[str]:
    many = "items" in table
    model = _model(schema, table)
    if model is None:
        return
    yield from (
        "",
        f"## {'[[' + path + ']]' if many else '[' + path + ']'}",
        "",
        table.get("description", ""),
        "",
    )
    yield from ("| key | type | default | what it does |", "| --- | --- | --- | --- |")
    nested = []
    for key, field in model["properties"].items():
        if "items" in field and _model(schema, field):
            nested.append((f"{path}.{key}", field))
            continue
        default = _default(field, required=key in model.get("required", ()))
        text = field.get("description", "").replace("|", "\\|")
        yield f"| `{key}` | {_type(schema, field)} | {default} | {text} |"
    for name, field in nested:
        yield from _table(schema, name, field)


def _model(schema: dict[str, Any], field: dict[str, Any]) -> dict[str, Any] | None:
    """The table that a field holds, one or many; None for a plain value."""
    for each in (field, field.get("items", {}), *field.get("anyOf", ())):
        if "$ref" in each:
            found: dict[str, Any] = schema["$defs"][each["$ref"].rpartition("/")[2]]
            return found if "properties" in found else None
    return None


def _type(schema: dict[str, Any], field: dict[str, Any]) -> str:
    if "$ref" in field:
        found = schema["$defs"][field["$ref"].rpartition("/")[2]]
        return "table of conditions" if "properties" in found else _type(schema, found)
    if "anyOf" in field:
        kinds = dict.fromkeys(_type(schema, each) for each in field["anyOf"] if each.get("type") != "null")
        return ", or ".join(kinds)
    if "enum" in field:
        return ", ".join(f'`"{each}"`' for each in field["enum"])
    if "const" in field:
        return f'`"{field["const"]}"`'
    if field.get("type") == "array":
        return f"list of {_type(schema, field.get('items', {}))}"
    if "250ms" in field.get("examples", ()):
        return "duration"
    names = {"object": "table", "string": "date" if field.get("format") == "date" else "text"}
    kind = str(field.get("type", "any"))
    return names.get(kind, kind)


def _default(field: dict[str, Any], *, required: bool) -> str:
    if required:
        return "needed"
    default = field.get("default")
    if default in NOTHING:
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"
