"""A large organization, discovered and scanned: 1,000 accounts, 17 enabled Regions each, 300 gateways in all.

python -m benchmarks.organization
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.served import Spec, measured, reporting, served, verdict

ORGANIZATION = Spec(accounts=1_000, regions=17, gateways=0, volumes=8, spread=300)
ROLE = "sgw-scanner"


def discovered(spec: Spec) -> dict[str, Any]:
    """One scan on the command line."""
    from scanner.cli.app import run

    with tempfile.TemporaryDirectory() as folder:
        config, found = Path(folder, "scanner.toml"), Path(folder, "inventory.json")
        config.write_text(f'[organization]\nrole = "{ROLE}"\n[lock]\npath = ""\n')
        sys.argv = ["sgw-scanner", "scan", "--quiet", "-c", str(config), "-o", str(found)]
        try:
            run()
        except SystemExit as ended:
            code = ended.code
        inventory = json.loads(found.read_bytes())
    coverage = inventory["coverage"]
    return {
        "code": code,
        "targets": coverage["targets"]["complete"],
        "gateways": coverage["gateways"]["scanned"],
        "calls": coverage["calls"]["attempted"],
        "failures": len(inventory["failures"]),
    }


def main() -> None:
    with served(ORGANIZATION) as emulator:
        found = measured("benchmarks.organization", "scanner", ORGANIZATION, emulator)
        counts = emulator.counts()
    accounts, gateways = ORGANIZATION.accounts, ORGANIZATION.spread
    targets = accounts * ORGANIZATION.regions
    print(f"an organization of {accounts:,} accounts, {targets:,} targets, {gateways} gateways")
    print(f"{'CPU s':>8}{'peak MB':>9}{'wall s':>8}{'calls':>8}{'AssumeRole':>12}{'ListRegions':>13}")
    assumed, listed = counts.get("AssumeRole", 0), counts.get("ListRegions", 0)
    print(
        f"{found['cpu']:8.2f}{found['peak'] / 1e6:9.1f}{found['wall']:8.2f}{found['calls']:8,}"
        f"{assumed:12,}{listed:13,}"
    )
    complete = (found["targets"], found["gateways"], found["failures"]) == (targets, gateways, 0)
    verdict(
        {
            "every target complete, every gateway scanned": complete,
            "CPU at most 20 s": found["cpu"] <= 20,
            "peak memory at most 200 MB": found["peak"] <= 200e6,
            "one AssumeRole and one ListRegions for each account": assumed == listed == accounts,
            "no request signed for another account": counts["mismatches"] == 0,
        }
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        reporting(discovered, Spec(**json.loads(sys.argv[2])))
    else:
        main()
