"""`iam`: what to allow to the scanner, and a role that allows it."""

from typing import Annotated

import typer

app = typer.Typer(
    help="Print the least-privilege policies, and a template of the role.", no_args_is_help=True
)
Details = Annotated[
    str, typer.Option(help="What scans read besides: any of gateway,volumes,tags.", metavar="LIST")
]


@app.command()
def policy(
    details: Details = "",
    partition: Annotated[str, typer.Option(help="As in ARNs: aws, aws-cn, aws-us-gov, ...")] = "aws",
    base: Annotated[
        bool, typer.Option("--base", help="Of the base identity instead, which discovers and assumes.")
    ] = False,
    role: Annotated[str, typer.Option(help="With --base: the role's name or ARN.")] = "sgw-scanner",
) -> None:
    """Print the least policy of the role that scans, as JSON."""
    import json

    from scanner.permissions import base_document, policy_document

    document = (
        base_document(role, partition=partition)
        if base
        else policy_document(_listed(details), partition=partition)
    )
    typer.echo(json.dumps(document, indent=2))


@app.command()
def template(details: Details = "") -> None:
    """Print a CloudFormation template of the role that scans, ready for a StackSet."""
    from scanner.template import role_template

    typer.echo(role_template(_listed(details)), nl=False)


def _listed(details: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in details.split(",") if name.strip())
