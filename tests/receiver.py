"""An endpoint of somebody's: takes what is delivered to it, and answers as it is told."""

from __future__ import annotations

import http.server
import queue
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

Server = TypeVar("Server", bound=socketserver.BaseServer)


class Receiver(http.server.ThreadingHTTPServer):
    """Answers with ``statuses`` in turn, the last one again and again, and keeps what it got."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses = [200]
        self.got = queue.Queue()
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/in"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        statuses = self.server.statuses
        status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        self.server.got.put((dict(self.headers.items()), content))
        self.server.may_answer.wait(20)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("Location", "http://192.0.2.1/")
        self.end_headers()

    def log_message(self, *args):
        pass


@contextmanager
def at_work(server: Server) -> Iterator[Server]:
    """A server that answers in a thread of its own until the block is left."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver at work."""
    with at_work(Receiver()) as receiver:
        yield receiver
