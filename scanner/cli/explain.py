"""`explain`: why a volume has the verdict it has."""

from pathlib import Path
from typing import Annotated

import typer

from scanner.cli.scan import Config


def explain(
    volume: Annotated[str, typer.Argument(help="The volume's ARN.", metavar="VOLUME_ARN")],
    inventory: Annotated[Path, typer.Argument(help="An inventory that `scan -o FILE.json` wrote.")],
    config: Config = None,
) -> None:
    """Say which rule of the policy applied to a volume, and why the others did not."""
    from scanner.cli.files import read_inventory
    from scanner.config import ScannerConfig
    from scanner.errors import ConfigError
    from scanner.explain import explain as steps_of
    from scanner.output.text import age, printable

    settings = ScannerConfig.load(config)
    scanned = read_inventory(inventory)
    found = next((each for each in scanned.volumes if volume in (each.arn, each.id)), None)
    if found is None:
        raise ConfigError(f"{volume}: {inventory} holds no such volume; `-o FILE.csv` lists those it holds")
    gateway = next(each for each in scanned.gateways if each.arn == found.gateway_arn)
    names = {target.account_id: target.account_name for target in scanned.targets}
    account = next((each for each in settings.accounts if each.id == found.account_id), None)
    verdict = found.verdict
    typer.echo(f"{found.arn}")
    rpo = "no RPO" if verdict.rpo_seconds is None else f"RPO {age(verdict.rpo_seconds)}"
    typer.echo(f"{verdict.status.value}: age {age(verdict.age_seconds)}, {rpo}, rule {verdict.rule}")
    for step in steps_of(
        settings.policy,
        found,
        gateway,
        account_name=names.get(found.account_id),
        account_rpo=account.rpo if account else None,
    ):
        mark = "applies" if step.applies else "does not apply"
        typer.echo(f"  {step.kind} {printable(step.name)}: {mark}: {printable(step.why)}")
