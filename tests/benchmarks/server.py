"""A far end that costs little: HTTP/1.1 with keep-alive on bare asyncio, as much of Nexudus as a run needs.

It runs as a process of its own (``python -m tests.benchmarks.server --latency 0.05 --rate 60 --period 2``), so that
what is measured is the client alone. Counts to the letter where it has a limit, and answers 409 with Retry-After.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from urllib.parse import parse_qs

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
PAGE_SIZE = 500


class FarEnd:
    """Webhooks by id, and what was counted. A request takes between half of ``latency`` (seconds) and all of it,
    and the server sees it at any moment of that.

    At most ``rate`` writes are taken in any ``period`` seconds; 0 is no limit.
    """

    def __init__(self, latency: float = 0.0, rate: int = 0, period: float = 1.0, seed: int = 1) -> None:
        self.webhooks: list[bytes] = []
        self.counts = {"GET": 0, "POST": 0, "PUT": 0, "DELETE": 0, "throttled": 0}
        self._latency = latency
        self._rate, self._period = rate, period
        self._taken: deque[float] = deque()
        self._draw = random.Random(seed)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, request after request."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                body = await reader.readexactly(int(length[1])) if length else b""
                method, target, _ = head.split(b" ", 2)
                there, back = self._ways()
                if there:
                    await asyncio.sleep(there)
                answer = self._answer(method.decode(), target.decode(), body)
                if back:
                    await asyncio.sleep(back)
                writer.write(answer)
        writer.close()

    def _ways(self) -> tuple[float, float]:
        """How long a request is on its way to the server, and its answer back."""
        both = self._latency * self._draw.uniform(0.5, 1)
        there = both * self._draw.random()
        return there, both - there

    def _answer(self, method: str, target: str, body: bytes) -> bytes:
        path, _, query = target.partition("?")
        if path == "/counts":
            return _ok(json.dumps({**self.counts, "webhooks": len(self.webhooks)}).encode())
        if path == "/reset":
            self._taken.clear()
            self.webhooks.clear()
            self.counts = dict.fromkeys(self.counts, 0)
            return _ok(b"{}")
        self.counts[method] += 1
        if method == "GET":
            return _ok(self._page(query))
        if self._is_too_fast():
            self.counts["throttled"] += 1
            return _TOO_FAST
        self.webhooks.append(body)
        return _ok(_CREATED % len(self.webhooks))

    def _is_too_fast(self) -> bool:
        if not self._rate:
            return False
        now = time.monotonic()
        while self._taken and self._taken[0] <= now - self._period:
            self._taken.popleft()
        if len(self._taken) >= self._rate:
            return True
        self._taken.append(now)
        return False

    def _page(self, query: str) -> bytes:
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        page, size = int(asked.get("page", 1)), min(int(asked.get("size", 25)), PAGE_SIZE)
        found: Sequence[int] = range(len(self.webhooks))
        if "WebHook_Business" in asked:
            wanted = {"BusinessId": asked["WebHook_Business"], "Action": asked.get("WebHook_Action")}
            found = [position for position in found if self._is(position, wanted)]
        pages = -(-len(found) // size)
        these = found[(page - 1) * size : page * size]
        records = b",".join(b'{"Id":%d,%s' % (position + 1, self.webhooks[position][1:]) for position in these)
        has_next = b"true" if page < pages else b"false"
        return _PAGE % (records, page, size, len(found), pages, has_next)

    def _is(self, position: int, wanted: Mapping[str, str | None]) -> bool:
        record = json.loads(self.webhooks[position])
        return all(value is None or record[name] == int(value) for name, value in wanted.items())


_PAGE = b'{"Records":[%s],"CurrentPage":%d,"CurrentPageSize":%d,"TotalItems":%d,"TotalPages":%d,"HasNextPage":%s}'
_CREATED = b'{"Status":200,"Message":"WebHook was created","Value":{"Id":%d},"Errors":null,"WasSuccessful":true}'
_TOO_FAST = (
    b"HTTP/1.1 409 You must wait before accessing this url again.\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
)


def _ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


@contextmanager
def far_end(**options: float) -> Iterator[str]:
    """The server as a process of its own; gives its address."""
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.server", *words], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(timeout=10)


async def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--rate", type=int, default=0)
    parser.add_argument("--period", type=float, default=1.0)
    end = FarEnd(**vars(parser.parse_args()))
    server = await asyncio.start_server(end.serve, "127.0.0.1", 0, limit=1 << 20)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
