"""`demo`: the main job against an embedded fleet."""

import typer

FOLDER = "sgw-demo"


def demo() -> None:
    """Scan an embedded fleet, with breaches and failures to look at; no account and no network needed.

    Writes sgw-demo/inventory.json and sgw-demo/report.html, and prints the summary.
    """
    from scanner.cli.embedded import run_demo

    run_demo(FOLDER)
    raise typer.Exit(0)
