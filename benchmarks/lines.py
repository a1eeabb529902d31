"""What memory a scan takes that writes its lines as it goes: 1,440 volumes, and a hundred times as many.

python -m benchmarks.lines
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.fleet import ROLE, account_ids, regions
from benchmarks.served import Spec, measured, reporting, served, verdict

FEW = Spec(accounts=40, regions=6, gateways=6, volumes=1)
MANY = Spec(accounts=40, regions=6, gateways=6, volumes=100)


def written(spec: Spec, output: str) -> dict[str, Any]:
    """One scan on the command line, into a file of that name."""
    from scanner.cli.app import run

    accounts = "".join(f'[[accounts]]\nid = "{each}"\nrole = "{ROLE}"\n' for each in account_ids(spec))
    with tempfile.TemporaryDirectory() as folder:
        config, found = Path(folder, "scanner.toml"), Path(folder, output)
        config.write_text(f'[scan]\nregions = {json.dumps(regions(spec))}\n[lock]\npath = ""\n{accounts}')
        sys.argv = ["sgw-scanner", "scan", "--quiet", "-c", str(config), "-o", str(found)]
        try:
            run()
        except SystemExit as ended:
            return {"code": ended.code, "bytes": found.stat().st_size}
    raise RuntimeError("the command line did not end")


JOBS = {
    suffix: lambda spec, suffix=suffix: written(spec, f"inventory.{suffix}") for suffix in ("ndjson", "json")
}


def main() -> None:
    print(f"{'volumes':>9}{'output':>9}{'CPU s':>8}{'peak MB':>9}{'file MB':>9}")
    peaks = {}
    for spec in (FEW, MANY):
        with served(spec) as emulator:
            for suffix in JOBS:
                found = measured("benchmarks.lines", suffix, spec, emulator)
                peaks[spec, suffix] = found["peak"]
                volumes = spec.accounts * spec.regions * spec.gateways * spec.volumes
                print(
                    f"{volumes:9,}{suffix:>9}{found['cpu']:8.2f}{found['peak'] / 1e6:9.1f}"
                    f"{found['bytes'] / 1e6:9.1f}",
                    flush=True,
                )
    more = peaks[MANY, "ndjson"] - peaks[FEW, "ndjson"]
    verdict({"NDJSON of a hundred times the volumes takes at most 60 MB more": more <= 60e6})


if __name__ == "__main__":
    if len(sys.argv) > 1:
        reporting(JOBS[sys.argv[1]], Spec(**json.loads(sys.argv[2])))
    else:
        main()
