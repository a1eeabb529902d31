"""`demo`: a scan of an embedded fleet."""

from pathlib import Path

FOLDER = Path("sgw-demo")


def demo() -> None:
    """Scan an embedded fleet; no AWS account is needed.

    It has breaches and failures to look at, and nothing leaves this machine.
    Writes sgw-demo/inventory.json and sgw-demo/report.html, prints the summary, and ends with 0.
    """
    from scanner.cli.embedded import run_demo

    run_demo(FOLDER)
