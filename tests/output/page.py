"""The page, read by a parser that did not write it."""

import gzip
import json
from base64 import b64decode
from html.parser import HTMLParser
from typing import Any


class Page(HTMLParser):
    """Every tag with its attributes, the texts of others (each in a `bdi`), and the script's data."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.names: list[str] = []
        self.scripts: dict[str | None, str] = {}
        self._take = False
        self.feed(content.decode())
        self.close()
        self.data: Any = json.loads(gzip.decompress(b64decode(self.scripts["data"])))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._take = tag in ("bdi", "script")
        if tag == "bdi":
            self.names.append("")

    def handle_endtag(self, tag: str) -> None:
        self._take = False

    def handle_data(self, data: str) -> None:
        tag, attributes = self.tags[-1] if self._take else ("", {})
        if tag == "bdi":
            self.names[-1] += data
        elif tag == "script":
            name = attributes.get("id")
            self.scripts[name] = self.scripts.get(name, "") + data
