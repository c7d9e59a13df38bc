"""``bulkhooks serve`` as a process of its own, and a person at its page over plain HTTP."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.processes import PROGRAM

PATIENCE = 300
"""Seconds for anything, on any machine."""


class Served:
    """A server; ``address`` is the one-time address that it printed."""

    def __init__(self, process: subprocess.Popen[str], address: str, state: Path, options: tuple[str, ...]) -> None:
        self.process = process
        self.address = address
        self.state = state
        self.options = options
        self.base, _, _ = address.partition("/?")
        self.base = self.base.rstrip("/")
        self.port = int(self.base.rpartition(":")[2]) if self.base.count(":") == 2 else 0

    def again(self) -> str:
        """What another ``bulkhooks serve`` prints."""
        return self.asked(*self.options).stdout.strip()

    def asked(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Another ``bulkhooks serve`` at the same port, from its beginning to its end."""
        words = ["serve", "--no-open", "--port", str(self.port), *options]
        return subprocess.run(
            [*PROGRAM, *words],
            env=_environment(self.state),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )

    def fresh(self) -> str:
        """A fresh one-time address, asked for as another ``bulkhooks serve`` does."""
        note = json.loads((self.state / "bulkhooks" / "page" / str(self.port) / "serve.json").read_text())
        shown = {"Authorization": f"Bearer {note['secret']}", "Host": note["host"]}
        return str(httpx.post(f"http://127.0.0.1:{self.port}/fresh", headers=shown).json()["address"])

    def person(self) -> httpx.Client:
        """Somebody new who is let in."""
        client = httpx.Client(base_url=self.base, timeout=PATIENCE, follow_redirects=True)
        entered = client.get(self.fresh())
        assert entered.status_code == 200, entered.text
        return client


def _environment(state: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "XDG_STATE_HOME": str(state), **more}


@contextmanager
def serving(state: Path, *options: str, port: int = 0, **environment: str) -> Iterator[Served]:
    """A server, on a free port unless one is named; its state is in ``state``."""
    with tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(
            [*PROGRAM, "serve", "--no-open", "--port", str(port), *options],
            env=_environment(state, **environment),
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        )
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        if not address:
            process.wait(PATIENCE)
            complaints.seek(0)
            raise AssertionError(complaints.read())
        try:
            yield Served(process, address, state, options)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(PATIENCE)
            process.stdout.close()


def upload(client: httpx.Client, name: str, content: bytes) -> httpx.Response:
    """Drop a file."""
    return client.post("/sheets", files={"file": (name, content)})


def text_of(answer: httpx.Response) -> str:
    """What a person reads of a page."""
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", answer.text).split()))


def until(client: httpx.Client, place: str, words: str) -> httpx.Response:
    """Look at a page until it says something."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        answer = client.get(place)
        if words in answer.text:
            return answer
        time.sleep(0.2)
    raise AssertionError(f"{place} never said {words!r}: {text_of(answer)}")


def plan(client: httpx.Client, sheet: str) -> httpx.Response:
    """See what would happen to the file at this address, to the end of the comparing."""
    client.post(f"{sheet}/plan")
    end = time.monotonic() + PATIENCE
    while "data-poll" in (answer := client.get(f"{sheet}/plan")).text:
        assert time.monotonic() < end
        time.sleep(0.2)
    return answer


def send(client: httpx.Client, sheet: str) -> str:
    """Send what was planned; the address of the run."""
    asked = client.get(f"{sheet}/send")
    version = re.search(r'name="version" value="(\d+)"', asked.text)
    assert version, text_of(asked)
    begun = client.post(f"{sheet}/send", data={"version": version[1]})
    assert begun.status_code == 200, text_of(begun)
    return str(begun.url.path)
