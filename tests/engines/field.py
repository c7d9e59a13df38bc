"""Several accounts at a sandbox, a journal of either kind, and runs over workers as processes of their own."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil

from bulkhooks.sandbox.server import Sandbox
from tests.processes import PROGRAM

QUICK = ("--rate", "none", "--request-rate", "none", "--settle", "0.3", "--timeout", "5", "--no-progress")


class Field:
    """A folder with an input of ``accounts`` times ``rows`` webhooks; ``journal`` is a file's name or an address."""

    def __init__(self, folder: Path, far_end: Sandbox, journal: str, accounts: int = 3, rows: int = 4) -> None:
        self.folder = folder
        self.far_end = far_end
        self.journal = journal
        self.count = accounts * rows
        names = [f"a{number:02}" for number in range(accounts)]
        (folder / "accounts.toml").write_text("".join(f'[accounts.{name}]\ntoken_env = "TOKEN_A"\n' for name in names))
        lines = [
            f"{1001 + row},BookingCreate,https://hooks.example.com/{name}/{row},{name}"
            for row in range(rows)
            for name in names
        ]
        (folder / "hooks.csv").write_text("\n".join(["BusinessId,Action,URL,Account", *lines, ""]))

    def command(self, *options: object, to: str = "out.csv") -> list[str]:
        return [
            *PROGRAM, "run", "hooks.csv", "--accounts", "accounts.toml", "--base-url", self.far_end.base_url,
            "--journal", self.journal, "-o", to, "--json", *QUICK, *map(str, options),
        ]  # fmt: skip

    def start(self, *options: object, to: str = "out.csv", **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*options, to=to), cwd=self.folder, env={**os.environ, "TOKEN_A": self.far_end.token, **more},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, *options: object, to: str = "out.csv", **more: str) -> dict:
        """The summary of a run, with ``stderr`` besides."""
        return finished(self.start(*options, to=to, **more))

    def results(self, of: str = "out.csv") -> list[dict[str, str]]:
        with (self.folder / of).open(newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))

    # The far end

    def stats(self) -> dict:
        return httpx.get(f"{self.far_end.base_url}/sandbox/stats").json()

    def stored(self) -> list[dict]:
        return httpx.get(f"{self.far_end.base_url}/sandbox/webhooks").json()

    def until_stored(self, child: subprocess.Popen[str], count: int) -> None:
        until(lambda: self.stats()["webhooks"] >= count or child.poll() is not None)
        assert child.poll() is None, child.communicate()

    def check(self) -> None:
        """Each webhook once on the server, and its id in the results."""
        stored = self.stored()
        assert len({(each["BusinessId"], each["URL"]) for each in stored}) == len(stored) == self.count
        assert self.stats()["duplicates"] == 0
        assert sorted(int(row["WebhookId"]) for row in self.results()) == sorted(each["Id"] for each in stored)


def finished(child: subprocess.Popen[str]) -> dict:
    """What a run answers at its end."""
    said, complained = child.communicate(timeout=300)
    summary = json.loads(said) if said.strip() else {"exit_code": child.returncode}
    return {**summary, "stderr": complained, "returncode": child.returncode}


def workers_of(child: subprocess.Popen[str]) -> list[psutil.Process]:
    """The workers that a run has on this machine."""
    return [each for each in psutil.Process(child.pid).children() if "working.main" in " ".join(each.cmdline())]


def until(happens: Callable[[], object], seconds: float = 600.0) -> None:
    """Wait for what another process does, however slow the machine is."""
    give_up = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def kill(process: psutil.Process | subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
