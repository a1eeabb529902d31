"""`notify`: who is told."""

import typer

from scanner.cli.commands.scan import Config

app = typer.Typer(no_args_is_help=True, help="Look after those who are told.")


@app.callback()
def _main() -> None:
    pass


@app.command("test")
def send_test(config: Config = None) -> None:
    """Send a test message to every address of `notify.urls`, and ping `notify.ping_url`.

    Exit codes: 0 all took it, 1 some did not, 2 an address cannot be used, or there is none.
    """
    import os

    import anyio

    from scanner.cli.kept import logged
    from scanner.cli.settings import settings_of
    from scanner.errors import ConfigError
    from scanner.notify.addresses import heartbeat_of
    from scanner.notify.notifier import Notifier

    settings = settings_of(config)
    beat = heartbeat_of(settings, os.environ)
    if not settings.notify.urls and beat is None:
        raise ConfigError("nobody is to be told: notify.urls is empty, and there is no notify.ping_url")

    async def sent() -> list[tuple[str, str | None]]:
        async with Notifier.opened(settings) as notifier:
            results = await notifier.test()
        if beat:
            why = await beat.ping("0", b"a test of sgw-scanner")
            results.append(("notify.ping_url", why))
        return results

    with logged():
        results = anyio.run(sent)
    for name, why in results:
        typer.echo(f"{name}: {'delivered' if why is None else why}")
    raise typer.Exit(1 if any(why for _, why in results) else 0)
