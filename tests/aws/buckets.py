"""A server that speaks as much S3 as uploads and a history need, and misbehaves as told."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

BEGUN = b"<InitiateMultipartUploadResult><UploadId>%d</UploadId></InitiateMultipartUploadResult>"
COMPLETE = b"<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"
LISTING = "<ListBucketResult>{}</ListBucketResult>"
LISTED = "<Contents><Key>{}</Key><Size>{}</Size></Contents>"
CODES = {403: "AccessDenied", 400: "ExpiredToken", 405: "MethodNotAllowed", 412: "PreconditionFailed"}
ERROR = "<Error><Code>{code}</Code><Message>no</Message></Error>"

Behaviour = int | str
"""A status; or `silent`: never answers, `trickles`: answers one byte, `deaf`: does not even read the body."""


class Bucket:
    """What a server has been asked, and what became of the uploads."""

    def __init__(self) -> None:
        self.url = ""
        self.misbehave: dict[str, Callable[[int], Behaviour]] = {}
        self.asked: list[str] = []
        self.headers: list[Any] = []
        self.begun: set[str] = set()
        self.objects: dict[str, bytes] = {}
        self.parts: dict[str, bytes] = {}
        self.ended = threading.Event()

    def behaviour(self, call: str) -> Behaviour:
        """Of this `call`, by how often it has been made before."""
        made = self.asked.count(call)
        self.asked.append(call)
        return self.misbehave[call](made) if call in self.misbehave else 200


def call_of(method: str, query: str) -> str:
    if method == "GET":
        return "list" if "list-type" in query else "get"
    if method == "POST":
        return "create" if query.startswith("uploads") else "complete"
    return {"DELETE": "abort", "PUT": "part" if "partNumber" in query else "put"}[method]


def handler_of(bucket: Bucket) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_expect_100(self) -> bool:
            # As something in between that has never heard of it.
            return True

        def log_message(self, *_: Any) -> None:
            pass

        def answer(self) -> None:
            parts = urlsplit(self.path)
            call = call_of(self.command, parts.query)
            bucket.headers.append(self.headers)
            behaviour = bucket.behaviour(call)
            if behaviour == "deaf":
                self.hang()
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if behaviour == "silent":
                self.hang()
            elif behaviour == "trickles":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<")
                self.hang()
            elif behaviour == 200:
                self.send(200, self.done(call, unquote(parts.path), parts.query, body))
            else:
                code = CODES.get(int(behaviour), "SlowDown")
                self.send(int(behaviour), ERROR.format(code=code).encode())

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - the names of http.server

        def done(self, call: str, path: str, query: str, body: bytes) -> bytes:
            upload = query.rpartition("uploadId=")[2].partition("&")[0]
            if call == "list":
                # Keys without the bucket's own name.
                held = ((key.split("/", 2)[2], body) for key, body in bucket.objects.items())
                return LISTING.format("".join(LISTED.format(key, len(body)) for key, body in held)).encode()
            if call == "get":
                return bucket.objects[path]
            if call == "create":
                number = bucket.asked.count("create")
                bucket.begun.add(str(number))
                return BEGUN % number
            if call == "part":
                bucket.parts[upload] = bucket.parts.get(upload, b"") + body
            elif call == "put":
                bucket.objects[path] = body
            else:
                bucket.begun.discard(upload)
            if call == "complete":
                bucket.objects[path] = bucket.parts.pop(upload)
                return COMPLETE
            return b""

        def send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("ETag", '"x"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def hang(self) -> None:
            bucket.ended.wait(30)
            self.close_connection = True

    return Handler


class Server(ThreadingHTTPServer):
    daemon_threads = False

    def handle_error(self, *_: Any) -> None:
        """Clients leave in the middle here."""


@contextmanager
def serving() -> Iterator[Bucket]:
    bucket = Bucket()
    with Server(("127.0.0.1", 0), handler_of(bucket)) as server:
        bucket.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield bucket
        finally:
            bucket.ended.set()
            with suppress(OSError):
                server.shutdown()
            thread.join()
