"""A verdict, taken apart for a reader."""

from datetime import UTC, datetime, timedelta

import typer

from scanner.config.settings import ScannerConfig
from scanner.errors import ConfigError
from scanner.inventory.model import Inventory
from scanner.inventory.records import Gateway, GatewayStatus, Verdict, Volume
from scanner.output.text import age, age_of, ago, printable
from scanner.policy.explain import explain
from scanner.policy.rules import Policy, Rater


def print_explanation(name: str, inventory: Inventory, config: ScannerConfig) -> None:
    """Prints the verdict of the volume with this ARN or id, and each rule, fallback and waiver tried.

    Raises ConfigError if the inventory holds no such volume.
    """
    volume = next((each for each in inventory.volumes if name in (each.arn, each.id)), None)
    if volume is None:
        raise ConfigError(
            f"{name}: the inventory holds no such volume; `scan -o FILE.csv` lists those that it found"
        )
    gateway = next(each for each in inventory.gateways if each.arn == volume.gateway_arn)
    names = {target.account_id: target.account_name for target in inventory.targets}
    account_name = names[volume.account_id]
    settings = next((each for each in config.accounts if each.id == volume.account_id), None)
    rpo = settings.rpo if settings else None
    _print_facts(volume, gateway, account_name)
    typer.echo()
    for step in explain(config.policy, volume, gateway, account_name=account_name, account_rpo=rpo):
        mark = "applies" if step.applies else "does not apply"
        typer.echo(f"  {step.kind} {printable(step.name)} {mark}: {printable(step.why)}")
    rated = _rated(config.policy, volume, gateway, account_name, rpo)
    if _describe(rated) != _describe(volume.verdict):
        typer.echo(f"\nBy the configuration at hand it is {_describe(rated)}: the scan had another one.")


def _print_facts(volume: Volume, gateway: Gateway, account_name: str | None) -> None:
    point, seconds = volume.recovery_point_time, volume.verdict.age_seconds
    since = "" if seconds is None else f", {ago(seconds)}"
    moment = f"{point:%Y-%m-%d %H:%M:%S} UTC{since}" if point else age_of(volume.verdict)
    account = f"{volume.account_id} ({printable(account_name)})" if account_name else volume.account_id
    typer.echo(volume.arn)
    typer.echo(f"  verdict         {_describe(volume.verdict)}")
    typer.echo(f"  recovery point  {moment}")
    typer.echo(f"  gateway         {printable(gateway.name or gateway.id)}")
    typer.echo(f"  account         {account}")


def _describe(verdict: Verdict) -> str:
    rpo = "no RPO" if verdict.rpo_seconds is None else f"RPO {age(verdict.rpo_seconds)}"
    rule = f" by {printable(verdict.rule)}" if verdict.rule else ""
    waived = f", waived: {printable(verdict.waived)}" if verdict.waived else ""
    return f"{verdict.status.value.replace('_', ' ')} ({rpo}{rule}){waived}"


def _rated(
    policy: Policy, volume: Volume, gateway: Gateway, account_name: str | None, rpo: timedelta | None
) -> Verdict:
    return Rater(policy).verdict(
        volume_arn=volume.arn,
        volume_id=volume.id,
        volume_tags=volume.tags,
        recovery_point_time=volume.recovery_point_time,
        gateway_arn=gateway.arn,
        gateway_id=gateway.id,
        gateway_name=gateway.name,
        gateway_tags=gateway.tags,
        account_id=volume.account_id,
        account_name=account_name,
        region=volume.region,
        account_rpo=rpo,
        # Details may know a volume whose gateway gave no answer, and so no moment.
        observed_at=gateway.observed_at or datetime.now(UTC),
        gateway_failed=gateway.status is GatewayStatus.FAILED,
    )
