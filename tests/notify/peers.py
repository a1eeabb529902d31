"""A web server that takes messages, and misbehaves as told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Taken:
    """One request as it came."""

    path: str
    headers: Any
    body: bytes


@dataclass
class Peer:
    """`status` is what it answers; 0 never answers. `endless` sends a body without end. `came`: somebody asked."""

    url: str = ""
    status: int = 200
    endless: bool = False
    taken: list[Taken] = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)


@contextmanager
def peer() -> Iterator[Peer]:
    found = Peer()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found.taken.append(Taken(self.path, self.headers, body))
            found.came.set()
            if not found.status:
                found.ended.wait(30)
                return
            self.send_response(found.status)
            if 300 <= found.status < 400:
                self.send_header("Location", f"{found.url}/elsewhere")
            if not found.endless:
                self.send_header("Content-Length", "0")
            self.end_headers()
            while found.endless and not found.ended.is_set():
                try:
                    self.wfile.write(b"x" * 65536)
                except OSError:
                    return

        do_GET = do_POST  # noqa: N815 - the names of http.server

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield found
        finally:
            found.ended.set()
            server.shutdown()
            thread.join()
