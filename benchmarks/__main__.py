"""Every benchmark, each in a process of its own; exit 1 when one of them missed what it must reach.

python -m benchmarks [NAME...]
"""

import subprocess
import sys
from importlib.util import find_spec

NAMES = (
    "fleet",
    "organization",
    "outputs",
    "lines",
    "pace",
    "engine",
    "history",
    "telemetry",
    "scale",
    "serve",
)


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"there is no benchmark {unknown[0]!r}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    missed = 0
    for name in names or NAMES:
        if find_spec(f"benchmarks.{name}"):
            print(f"== {name}", flush=True)
            missed |= subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
