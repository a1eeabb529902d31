"""`iam`: what to allow to the scanner, and a role that allows it."""

from typing import Annotated

import typer

from scanner.cli.commands.scan import Config

app = typer.Typer(
    help="Print the least-privilege policies, and a template of the role.", no_args_is_help=True
)
Details = Annotated[
    str | None,
    typer.Option(
        help="What scans read besides: any of gateway,volumes,tags. Default: as configured.", metavar="LIST"
    ),
]

SessionTags = Annotated[
    bool, typer.Option("--session-tags", help="Scans set credentials.session_tags; policy: with --base.")
]


@app.command()
def policy(
    config: Config = None,
    details: Details = None,
    partition: Annotated[
        str | None,
        typer.Option(help="As in ARNs: aws, aws-cn, aws-us-gov, ...; default: of the configured Regions."),
    ] = None,
    base: Annotated[
        bool, typer.Option("--base", help="Of the base identity instead, which discovers and assumes.")
    ] = False,
    role: Annotated[
        str | None,
        typer.Option(help="With --base: the role's name or ARN; default: as configured, else sgw-scanner."),
    ] = None,
    session_tags: SessionTags = False,
) -> None:
    """Print the least policy of the role that scans, as JSON; it follows the configuration where there is one."""
    import json

    from scanner.cli.settings import listed, settings_of
    from scanner.errors import ConfigError
    from scanner.iam.configured import USUAL_ROLE, partition_in
    from scanner.iam.permissions import base_document, policy_document
    from scanner.inventory.records import ListVolumes

    if not base and (role is not None or session_tags):
        raise ConfigError(
            "--role and --session-tags are about who assumes the role; add --base"
            " (the role itself allows session tags in its trust policy: iam template --session-tags)"
        )
    settings = settings_of(config)
    partition = partition or partition_in(settings)
    if base:
        document = base_document(
            settings.roles or USUAL_ROLE if role is None else role,
            partition=partition,
            session_tags=session_tags or bool(settings.credentials.session_tags),
            # Without a configuration nothing tells, and most come from an organization.
            organization=settings.organization is not None or not settings.file,
        )
    else:
        asked = listed(details)
        document = policy_document(
            settings.scan.details if asked is None else asked,
            partition=partition,
            enabled_regions=settings.asks_for_regions,
            list_volumes=settings.scan.list_volumes is not ListVolumes.NEVER,
        )
    typer.echo(json.dumps(document, indent=2))


@app.command()
def template(config: Config = None, details: Details = None, session_tags: SessionTags = False) -> None:
    """Print a CloudFormation template of the role that scans, ready for a StackSet; it follows the configuration."""
    from scanner.cli.settings import listed, settings_of
    from scanner.iam.configured import role_in
    from scanner.iam.template import role_template
    from scanner.inventory.records import ListVolumes

    settings, asked = settings_of(config), listed(details)
    text = role_template(
        settings.scan.details if asked is None else asked,
        session_tags=session_tags or bool(settings.credentials.session_tags),
        list_volumes=settings.scan.list_volumes is not ListVolumes.NEVER,
        enabled_regions=settings.asks_for_regions,
        role_name=role_in(settings),
    )
    typer.echo(text, nl=False)
