"""A run as a child process against a sandbox that misbehaves, and what has to hold when it is over."""

from __future__ import annotations

import csv
import os
import random
import signal
import time
from contextlib import closing
from pathlib import Path

import httpx
import sqlalchemy as sa

from bulkhooks.provision.journal import history, tables
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.sandbox.options import parse_faults, parse_latency
from bulkhooks.sandbox.server import Sandbox, SandboxOptions
from tests.warm import Child

AN_EVENT = "https://hooks.example.com/{BusinessId}?kind={Action}"
OPTIONS = ("--rate", "none", "--request-rate", "none", "--settle", "0.2", "--timeout", "60", "--no-progress")


def sandbox(*faults, seed=1, latency="0-40ms", **options):
    """A sandbox with these faults, on a free port."""
    return Sandbox(SandboxOptions(fault=parse_faults(faults), latency=parse_latency(latency), seed=seed, **options))


class Bench:
    """A folder with an input and a journal (a file there, or an address); children run there, one after the other."""

    def __init__(self, folder: Path, base_url: str, webhooks: int = 40, journal: str = "journal.db") -> None:
        self.folder = folder
        self.base_url = base_url
        self.webhooks = webhooks
        self.journal = journal
        self.far_end = httpx.Client(base_url=base_url)
        self.kills = 0
        self.write_input(range(1001, 1001 + webhooks))

    def close(self) -> None:
        self.far_end.close()

    def write_input(self, locations, actions="BookingCreate") -> None:
        """A row for each location."""
        rows = "".join(f"{location},{actions},{AN_EVENT}\n" for location in locations)
        (self.folder / "hooks.csv").write_text(f"BusinessId,Action,URL\n{rows}")

    def command(self, *options, command="run", input_="hooks.csv") -> list[str]:
        named = [command, input_] if input_ else [command]
        return [
            *named, "-o", "out.csv", "--base-url", self.base_url, "--journal", self.journal,
            *OPTIONS, *map(str, options),
        ]  # fmt: skip

    def start(self, *options, **more) -> Child:
        """A child at work; ``more`` goes to ``Child``."""
        environment = {**os.environ, "NEXUDUS_TOKEN": "sandbox-token"}
        return Child(self.command(*options), cwd=self.folder, env=environment, **more)

    def finish(self, child) -> tuple[int, str]:
        """Exit code of a child that ends by itself, and what it said."""
        said, complained = child.communicate(timeout=600)
        return child.returncode, said + complained

    def run(self, *options) -> tuple[int, str]:
        """A child from its beginning to its end."""
        return self.finish(self.start(*options))

    # The far end

    def stats(self) -> dict:
        return self.far_end.get("/sandbox/stats").json()

    def stored(self) -> list[dict]:
        return self.far_end.get("/sandbox/webhooks").json()

    def wait_for_requests(self, child, count: int) -> bool:
        """Until the sandbox has had so many requests in all; False where the child ends before."""
        while self.stats()["total"] < count:
            if child.poll() is not None:
                return False
            time.sleep(0.003)
        return True

    def wait_for_stored(self, child, count: int) -> None:
        """Until the sandbox holds so many webhooks; what it has received only may still be dropped."""
        while self.stats()["webhooks"] < count:
            assert child.poll() is None, self.finish(child)
            time.sleep(0.003)

    def wait_for_text(self, name: str, text: str, child) -> None:
        """Until a file of the folder holds the text, which the child writes before its end."""
        path = self.folder / name
        while not (path.exists() and text in path.read_text()):
            assert child.poll() is None, self.finish(child)
            time.sleep(0.01)

    def run_and_kill(self, draw: random.Random, *options) -> int | None:
        """Start a child and kill it at a moment that ``draw`` chooses; its exit code where it was done before."""
        child = self.start(*options)
        requests = self.stats()["total"] + draw.randint(0, 14)
        if self.wait_for_requests(child, requests):
            time.sleep(draw.uniform(0, 0.03))
        child.send_signal(signal.SIGKILL)
        child.communicate(timeout=600)
        if child.returncode != -signal.SIGKILL:
            return child.returncode
        self.kills += 1
        return None

    # What has to hold

    def results(self) -> list[dict[str, str]]:
        with (self.folder / "out.csv").open(newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))

    def known_ids(self) -> list[int]:
        """The ids that the journal knows as created."""
        place = self.journal if "://" in self.journal else self.folder / self.journal
        with closing(Journal(place)) as journal:
            (account,) = next(iter(journal.query(sa.select(sa.func.max(tables.accounts.c.id)))))
            return history.owned(journal, account)["id"].tolist()

    def check(self) -> None:
        """Each webhook once on the server, its id in the results, and every one of them known to the journal."""
        stored = self.stored()
        identities = [(each["BusinessId"], each["Action"], each["URL"]) for each in stored]
        assert len(identities) == len(set(identities)) == self.webhooks
        ids = sorted(each["Id"] for each in stored)
        assert sorted(int(row["WebhookId"]) for row in self.results()) == ids
        assert {row["Status"] for row in self.results()} <= {"created", "exists"}
        assert self.known_ids() == ids
