"""`iam`: what to allow to the scanner, and a role that allows it."""

from typing import Annotated

import typer

app = typer.Typer(
    help="Print the least-privilege policies, and a template of the role.", no_args_is_help=True
)
Details = Annotated[
    str, typer.Option(help="What scans read besides: any of gateway,volumes,tags.", metavar="LIST")
]

SessionTags = Annotated[
    bool, typer.Option("--session-tags", help="Scans set credentials.session_tags; policy: with --base.")
]


@app.command()
def policy(
    details: Details = "",
    partition: Annotated[str, typer.Option(help="As in ARNs: aws, aws-cn, aws-us-gov, ...")] = "aws",
    base: Annotated[
        bool, typer.Option("--base", help="Of the base identity instead, which discovers and assumes.")
    ] = False,
    role: Annotated[
        str | None, typer.Option(help="With --base: the role's name or ARN; default sgw-scanner.")
    ] = None,
    session_tags: SessionTags = False,
) -> None:
    """Print the least policy of the role that scans, as JSON."""
    import json

    from scanner.errors import ConfigError
    from scanner.iam.permissions import base_document, policy_document

    if not base and (role is not None or session_tags):
        raise ConfigError(
            "--role and --session-tags are about who assumes the role; add --base"
            " (the role itself allows session tags in its trust policy: iam template --session-tags)"
        )
    document = (
        base_document("sgw-scanner" if role is None else role, partition=partition, session_tags=session_tags)
        if base
        else policy_document(_listed(details), partition=partition)
    )
    typer.echo(json.dumps(document, indent=2))


@app.command()
def template(details: Details = "", session_tags: SessionTags = False) -> None:
    """Print a CloudFormation template of the role that scans, ready for a StackSet."""
    from scanner.iam.template import role_template

    typer.echo(role_template(_listed(details), session_tags=session_tags), nl=False)


def _listed(details: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in details.split(",") if name.strip())
