"""The Containerfile: from hashed lock files, as no root, and of nothing but what it needs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = re.sub(r"\\\n", " ", (ROOT / "Containerfile").read_text())
STEPS = [line.split(None, 1) for line in TEXT.splitlines() if line and not line.startswith("#")]
LOCKS = {name: (ROOT / "requirements" / f"{name}.lock").read_text() for name in ("plain", "run")}


def pins(lock: str) -> set[str]:
    return set(re.findall(r"^([\w.-]+==[^ ;\\]+)", lock, re.M))


def test_the_image_runs_as_no_root_and_ends_in_order() -> None:
    last = max(number for number, (step, _) in enumerate(STEPS) if step == "FROM")
    final = dict(step for step in STEPS[last:] if step[0] in ("USER", "STOPSIGNAL", "ENTRYPOINT"))
    assert final == {"USER": "10001:10001", "STOPSIGNAL": "SIGTERM", "ENTRYPOINT": '["sgw-scanner"]'}


def test_what_is_copied_is_there_and_nothing_else_is_sent() -> None:
    copied = {
        source.split("/")[0]
        for step, rest in STEPS
        if step == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    }
    assert all((ROOT / source).exists() for source in copied)
    ignored = (ROOT / ".containerignore").read_text()
    assert set(re.findall(r"^!([^/\n]+)/?$", ignored, re.M)) == copied


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_its_hash(name: str) -> None:
    blocks = re.split(r"^(?=[\w.-]+==)", LOCKS[name], flags=re.M)[1:]
    assert blocks
    assert all("--hash=sha256:" in block for block in blocks)
    assert f"{name}.lock" in TEXT
    assert f"lock={name} " in TEXT
    assert "--require-hashes" in TEXT


def test_the_plain_image_has_the_same_versions_and_no_extra() -> None:
    plain, full = pins(LOCKS["plain"]), pins(LOCKS["run"])
    assert plain < full
    names = {pin.partition("==")[0] for pin in plain}
    assert not names & {"duckdb", "pyarrow", "jinja2", "apprise", "distributed", "opentelemetry-api"}
