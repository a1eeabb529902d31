"""`python -m scanner.emulator --port N`: the emulator in a process of its own."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .fleet import Fleet
from .server import serve


def _span(text: str) -> int | tuple[int, int]:
    low, dash, high = text.partition("-")
    return (int(low), int(high)) if dash else int(low)


def main(arguments: Sequence[str] | None = None) -> int:
    """Reads the options, says where it listens, serves until interrupted."""
    parser = argparse.ArgumentParser("scanner.emulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--fleet", help="a fleet in TOML; without it and without --accounts the demo fleet")
    parser.add_argument("--accounts", type=int)
    parser.add_argument("--regions", type=int, default=6)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--gateways", type=_span, default=(0, 4), help="for each target: N or MIN-MAX")
    parser.add_argument("--volumes", type=_span, default=(1, 12), help="for each gateway: N or MIN-MAX")
    parser.add_argument("--cached-only", action="store_true", help="gateways of type CACHED only")
    options = parser.parse_args(arguments)
    if options.fleet:
        try:
            fleet = Fleet.from_toml(options.fleet)
        except (OSError, ValueError) as error:
            print(error, file=sys.stderr)  # noqa: T201 - a command's own message
            return 2
    elif options.accounts is not None:
        types = {"CACHED": 1} if options.cached_only else None
        fleet = Fleet.generate(
            options.accounts, options.regions, options.seed, options.gateways, options.volumes, types
        )
    else:
        fleet = Fleet.demo()
    try:
        serve(fleet, options.host, options.port)
    except OSError as error:
        print(f"cannot listen at {options.host}:{options.port}: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
