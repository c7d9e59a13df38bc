"""A server of bare sockets that behaves as Nexudus does, and as a seed decides does not.

Nothing between it and the wire: it can hang up at any byte, answer what is no HTTP, and do what it was asked after its
connection has gone. What it did is in its ``Store``.
"""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import parse_qs

from tests.chaos.faults import FAIR, Effect, Fault, Weather
from tests.chaos.store import Post, Store, key_of

TOKENS = {"Bearer token-of-acme": "acme", "Bearer token-of-default": "default"}
Answer = tuple[int, bytes, str | None]
"""Status, body, Retry-After."""


@dataclass
class Request:
    """One that was read to its end."""

    method: str
    path: str
    asked: dict[str, str]
    account: str
    fields: dict[str, Any]

    @property
    def kind(self) -> str:
        """As ``Weather.strike`` takes it."""
        if self.method == "GET":
            return "search" if self.path.endswith("webhooks") else "read"
        return "create" if self.method == "POST" else "change"


class Server:
    """It listens on loopback until ``close``. ``timeout`` is that of its clients, in seconds."""

    def __init__(self, seed: int, settle: float, timeout: float) -> None:
        self.store = Store(settle)
        self.weather: Weather = FAIR
        self.faults: Counter[str] = Counter()
        self.count = 0
        self._timeout = timeout
        self._draw = random.Random(seed)
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.base_url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        """A connection, request after request, until one is not answered as it should be."""
        with suppress(OSError, ValueError), connection, connection.makefile("rb") as stream:
            while self._one(connection, stream):
                pass

    def _one(self, connection: socket.socket, stream: BinaryIO) -> bool:
        head = _head(stream)
        if head is None:
            return False
        request = _request(head)
        with self.store.lock:
            self.count += 1
            fault = self.weather.strike(self._draw, request.kind)
            if fault is not None:
                self.faults[fault.name] += 1
        if fault is not None and fault.way == "unread":
            _reset(connection)
            return False
        body = stream.read(int(head.get("content-length", "0")))
        request.fields = json.loads(body) if body else {}
        if _has_hung_up(connection):  # nobody knows for how long: to act now might be later than any settle
            return False
        with self.store.lock:
            answer, post = self._act(request, fault)
        is_whole = self._reply(connection, fault, answer)
        if post is not None and is_whole:
            post.answered = True
        return is_whole

    # What is done

    def _act(self, request: Request, fault: Fault | None) -> tuple[Answer, Post | None]:
        store = self.store
        store.catch_up()
        post = None
        if request.kind == "create":
            post = Post(key_of(request.account, request.fields), time.monotonic())
            store.posts.append(post)
        if fault is not None and fault.effect is not Effect.DONE:
            if fault.effect is Effect.LATER and post is not None:
                store.create_later(post, request.fields, self._draw.uniform(0.1, self.weather.late) * store.settle)
            if fault.name == "refused" and post is not None:
                store.refused.add(post.key)
            return (fault.status, fault.body, fault.wait), None
        # An answer that is whole is known to its reader: a search may take any time to show it. Otherwise the search
        # is how the sender learns of it.
        is_plain = fault is None or (fault.way in {"slow", "drip", "chunks", "hinted"})
        answer = self._answer(request, post, fault, lag=self.weather.lag if is_plain else 0.0)
        if fault is not None and fault.status:
            return (fault.status, fault.body, fault.wait), None
        return answer, post

    def _answer(self, request: Request, post: Post | None, fault: Fault | None, *, lag: float) -> Answer:
        store, number = self.store, request.path.rpartition("/")[2]
        if not request.account:
            return _message(401, "Authorization has been denied for this request.")
        if post is not None:
            return _written(store.create(post, request.fields, lag=lag))
        if request.method == "PUT":
            done = store.update(request.account, request.fields)
            return _written(request.fields["Id"]) if done else _message(404, "not there")
        if request.method == "DELETE":
            done = store.delete(request.account, int(number))
            return _written(int(number)) if done else _message(404, "not there")
        if number.isdigit():
            found = store.webhooks.get(int(number))
            is_there = found is not None and found.account == request.account
            return (200, json.dumps(found.record).encode(), None) if found and is_there else _message(404, "not there")
        return 200, self._page(request, fault), None

    def _page(self, request: Request, fault: Fault | None) -> bytes:
        name = fault.name if fault is not None else ""
        asked = {**request.asked, **({"page": "1"} if name == "page repeated" else {})}
        records, page, total = self.store.search(request.account, asked)
        size = 4
        pages = -(-total // size)
        told: dict[str, Any] = {
            "Records": records, "CurrentPage": page, "CurrentPageSize": size, "TotalItems": total,
            "TotalPages": pages, "HasNextPage": page < pages,
        }  # fmt: skip
        if name == "no totals" and records:  # else nothing at all would tell that a list has become shorter
            told = {"Records": records}
        elif name == "no next page told":
            del told["HasNextPage"]
        elif name == "wrong pages":
            told["TotalPages"] = 1
            del told["HasNextPage"]
        elif name == "page empty" and page < pages:
            told["Records"] = []
        elif name == "odd record" and records:
            records[0] = {key: value for key, value in records[0].items() if key != "Id"}
        return json.dumps(told).encode()

    # How it goes on the wire

    def _reply(self, connection: socket.socket, fault: Fault | None, answer: Answer) -> bool:
        """Send an answer in the way of the fault; whether the connection is good for another request."""
        way = fault.way if fault is not None else "answer"
        whole = _bytes_of(answer)
        if way == "answer":
            connection.sendall(whole)
        elif way == "slow":
            time.sleep(self._draw.uniform(0, 0.2) * self._timeout)
            connection.sendall(whole)
        elif way == "drip":
            for at in range(0, len(whole), 1 + len(whole) // 8):
                connection.sendall(whole[at : at + 1 + len(whole) // 8])
                time.sleep(0.01)
        elif way == "chunks":
            connection.sendall(_chunked(answer))
        elif way == "hinted":
            connection.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + whole)
        else:
            self._break_off(connection, way, answer, whole)
            return False
        return True

    def _break_off(self, connection: socket.socket, way: str, answer: Answer, whole: bytes) -> None:
        match way:
            case "half":
                connection.sendall(whole[: len(whole) // 2])
            case "short":
                connection.sendall(whole.replace(b"Content-Length: ", b"Content-Length: 1", 1))
            case "gzip":
                body = b"\x1f\x8b\x08\x00" + answer[1]
                connection.sendall(_bytes_of((answer[0], body, None), "Content-Encoding: gzip\r\n"))
            case "noise":
                connection.sendall(self._draw.randbytes(self._draw.randint(1, 300)))
            case "reset":
                _reset(connection)
            case "hang":
                connection.settimeout(2 * self._timeout)
                with suppress(OSError):
                    connection.recv(1)  # until the other end hangs up


def _head(stream: BinaryIO) -> dict[str, str] | None:
    line = stream.readline()
    if not line:
        return None
    method, target, _ = line.decode("latin-1").split(" ", 2)
    head = {":method": method, ":target": target}
    while (line := stream.readline()) not in {b"\r\n", b""}:
        name, _, value = line.decode("latin-1").partition(":")
        head[name.lower()] = value.strip()
    return head


def _request(head: dict[str, str]) -> Request:
    path, _, query = head[":target"].partition("?")
    asked = {name: values[0] for name, values in parse_qs(query).items()}
    return Request(head[":method"], path, asked, TOKENS.get(head.get("authorization", ""), ""), {})


def _bytes_of(answer: Answer, headers: str = "") -> bytes:
    status, body, wait = answer
    waiting = "" if wait is None else f"Retry-After: {wait}\r\n"
    head = f"HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}{waiting}{headers}\r\n".encode() + body


def _chunked(answer: Answer) -> bytes:
    status, body, _ = answer
    chunks = [body[at : at + 7] for at in range(0, len(body), 7)]
    head = f"HTTP/1.1 {status} Whatever\r\ntransfer-encoding: chunked\r\n\r\n".encode()
    return head + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


def _reset(connection: socket.socket) -> None:
    """Hang up with a RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _has_hung_up(connection: socket.socket) -> bool:
    """Whether the other end waits for no answer any more."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False


def _written(webhook_id: int) -> Answer:
    told = {"Status": 200, "Message": "ok", "Value": {"Id": webhook_id}, "Errors": None, "WasSuccessful": True}
    return 200, json.dumps(told).encode(), None


def _message(status: int, text: str) -> Answer:
    return status, json.dumps({"Message": text}).encode(), None
