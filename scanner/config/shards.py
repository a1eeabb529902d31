"""Which part of a fleet one machine scans, and which part an account or target belongs to."""

import re
from collections.abc import Mapping
from hashlib import blake2b

from scanner.errors import ConfigError
from scanner.inventory.records import Shard

AUTO = "auto"
_ARRAYS = (
    ("AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE"),
    ("JOB_COMPLETION_INDEX", "SGW_SCANNER_SHARDS"),
)
"""Index, counted from 0, and size: of an AWS Batch array job, and of a Kubernetes Indexed Job."""


def parse_shard(text: str, environ: Mapping[str, str]) -> Shard:
    """The shard in `I/N`, counted from 1; with `auto` the one that the environment names.

    Raises ConfigError for anything else.
    """
    if text == AUTO:
        return _of_environment(environ)
    parts = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text, re.ASCII)
    if not parts:
        raise ConfigError(f"--shard: {text!r} is no shard; write it like 1/8, or auto")
    return _checked(int(parts[1]), int(parts[2]), f"--shard: {text}")


def in_shard(shard: Shard, key: str) -> bool:
    """Whether what is named by `key` belongs to `shard`: each key belongs to one of them, on every machine."""
    cut = int.from_bytes(blake2b(key.encode(), digest_size=8).digest())
    return cut % shard.count == shard.index - 1


def _of_environment(environ: Mapping[str, str]) -> Shard:
    for index, size in _ARRAYS:
        if index not in environ:
            continue
        for name in (index, size):
            if not re.fullmatch(r"[0-9]{1,6}", environ.get(name, ""), re.ASCII):
                raise ConfigError(f"--shard auto: {name} is {environ.get(name)!r}; it must be a number")
        return _checked(int(environ[index]) + 1, int(environ[size]), f"--shard auto: {index} of {size}")
    names = " or ".join(" and ".join(pair) for pair in _ARRAYS)
    raise ConfigError(f"--shard auto: nothing tells which shard this is; set {names}, or write 1/8")


def _checked(index: int, count: int, where: str) -> Shard:
    if not 1 <= index <= count:
        raise ConfigError(f"{where}: there is no shard {index} of {count}; shards are counted from 1 to N")
    return Shard(index=index, count=count)
