"""The commented `scanner.toml` that a new user starts from."""

from importlib.resources import files


def starter_text() -> str:
    """The text of a `scanner.toml` in which every setting stands with its explanation."""
    return files(__package__).joinpath("starter.toml").read_text(encoding="utf-8")
