"""A verdict, taken apart for a reader."""

import typer

from scanner.cli.nearest import did_you_mean
from scanner.config.settings import ScannerConfig
from scanner.errors import ConfigError
from scanner.inventory.model import Inventory
from scanner.inventory.records import Gateway, Verdict, Volume
from scanner.output.text import age, age_of, ago, gateway_label, printable
from scanner.policy.explain import Step, explain, rate


def print_explanation(name: str, inventory: Inventory, config: ScannerConfig) -> None:
    """Prints the verdict of the volume with this ARN or id, and each rule, fallback and waiver tried.

    Case does not count. Raises ConfigError if the inventory holds no such volume.
    """
    wanted = name.casefold()
    volume = next(
        (each for each in inventory.volumes if wanted in (each.arn.casefold(), each.id.casefold())), None
    )
    if volume is None:
        hint = did_you_mean(name, (each.id for each in inventory.volumes))
        raise ConfigError(
            f"{name}: the inventory holds no such volume{hint or '; `sgw-scanner show` lists those that it holds'}"
        )
    gateway = next((each for each in inventory.gateways if each.arn == volume.gateway_arn), None)
    names = {target.account_id: target.account_name for target in inventory.targets}
    account_name = names[volume.account_id]
    settings = next((each for each in config.accounts if each.id == volume.account_id), None)
    rpo = settings.rpo if settings else None
    _print_facts(volume, gateway, account_name)
    typer.echo()
    for step in explain(config.policy, volume, gateway, account_name=account_name, account_rpo=rpo):
        mark = "applies" if step.applies else "does not apply"
        typer.echo(f"  {_named(step)} {mark}: {printable(step.why)}")
    rated = rate(config.policy, volume, gateway, account_name=account_name, account_rpo=rpo)
    if _describe(rated) != _describe(volume.verdict):
        typer.echo(f"\nBy the configuration at hand it is {_describe(rated)}: the scan had another one.")


def _print_facts(volume: Volume, gateway: Gateway | None, account_name: str | None) -> None:
    point, seconds = volume.recovery_point_time, volume.verdict.age_seconds
    since = "" if seconds is None else f", {ago(seconds)}"
    moment = f"{point:%Y-%m-%d %H:%M:%S} UTC{since}" if point else age_of(volume.verdict)
    account = f"{volume.account_id} ({printable(account_name)})" if account_name else volume.account_id
    typer.echo(volume.arn)
    typer.echo(f"  verdict         {_describe(volume.verdict)}")
    typer.echo(f"  recovery point  {moment}")
    typer.echo(f"  gateway         {gateway_label(volume, gateway)}")
    typer.echo(f"  account         {account}")


def _named(step: Step) -> str:
    match step.kind:
        case "account":
            return "the account's rpo"
        case "default":
            return "policy.rpo"
        case _:
            return f"the {step.kind} “{printable(step.name)}”"


def _describe(verdict: Verdict) -> str:
    rpo = "no RPO" if verdict.rpo_seconds is None else f"RPO {age(verdict.rpo_seconds)}"
    rule = f" by {printable(verdict.rule)}" if verdict.rule else ""
    waived = f", waived: {printable(verdict.waived)}" if verdict.waived else ""
    return f"{verdict.status.value.replace('_', ' ')} ({rpo}{rule}){waived}"
