"""Shards of a run on a real PostgreSQL, killed and paused at random and replaced, until the run is over.

The sandbox is the judge: it knows what it was sent. Nothing may be there twice, nothing may be missing, and each shard
has to end well at the latest when it is run once more after the last strike.
"""

from __future__ import annotations

import csv
import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg

from tests.postgres import Server
from tests.processes import UNLIMITED, bulkhooks, sandbox_process, stored

FENCED = ("-m", "bulkhooks")
UNFENCED = ("-m", "tests.cluster.unfenced")
ROOT = Path(__file__).parents[2]

_PATIENCE = 600.0
"""Seconds after which a process that does not end is a failure."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is played. ``a_round``: how many strikes, kills and pauses together, fall in one run."""

    kills: int = 20
    pauses: int = 8
    shards: int = 4
    accounts: int = 24
    rows: int = 40
    lease: float = 3.0
    seed: int = 1
    a_round: int = 7


@dataclass(frozen=True, slots=True)
class _Paused:
    """A process that stands still, until its successor has taken over (``soon``) or has ended."""

    shard: int
    child: subprocess.Popen[bytes]
    soon: bool


@dataclass(slots=True)
class Round:
    """What became of one run."""

    kills: int = 0
    pauses: int = 0
    repeated: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    """How processes ended that were not killed."""
    twice: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


def play(size: Size, program: Sequence[str] = FENCED) -> list[Round]:
    """As many runs as it takes for so many kills and pauses."""
    draw, rounds = random.Random(size.seed), []
    kills, pauses = size.kills, size.pauses
    with Server() as server:
        while kills > 0 or pauses > 0:
            strikes = ["kill"] * kills + ["pause"] * pauses
            draw.shuffle(strikes)
            strikes = strikes[: size.a_round]
            kills, pauses = kills - strikes.count("kill"), pauses - strikes.count("pause")
            with tempfile.TemporaryDirectory() as folder:
                rounds.append(_Play(size, Path(folder), server.fresh(), program, draw).play(strikes))
            print(_line(len(rounds), rounds[-1]), flush=True)
    return rounds


HEAD = f"{'run':>4} {'kills':>6} {'pauses':>7} {'repeated':>9} {'twice':>6} {'lost':>5} {'s':>6}  ended with"


def _line(number: int | str, each: Round) -> str:
    codes = ", ".join(f"{code}: {count}" for code, count in sorted(each.codes.items()))
    wrong = f"  WRONG: {'; '.join(each.wrong)}" if each.wrong else ""
    return (
        f"{number:>4} {each.kills:>6} {each.pauses:>7} {each.repeated:>9} {each.twice:>6} {each.lost:>5}"
        f" {each.seconds:>6.0f}  {codes}{wrong}"
    )


def table(rounds: Sequence[Round]) -> str:
    """The sums of all rounds."""
    whole = Round()
    for each in rounds:
        for name in ("kills", "pauses", "repeated", "twice", "lost", "seconds"):
            setattr(whole, name, getattr(whole, name) + getattr(each, name))
        whole.codes.update(each.codes)
        whole.wrong += each.wrong
    return _line("all", whole)


class _Play:
    """One run, from its beginning to the judgement."""

    def __init__(self, size: Size, folder: Path, journal: str, program: Sequence[str], draw: random.Random) -> None:
        self._size, self._folder, self._journal, self._program, self._draw = size, folder, journal, program, draw
        self._names = [f"account{number:02}" for number in range(size.accounts)]
        self._tokens = {f"TOKEN_{name.upper()}": "sandbox-token" for name in self._names}
        self._round = Round()
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._paused: list[_Paused] = []
        self._awake: list[subprocess.Popen[bytes]] = []
        self._count = itertools.count()

    def play(self, strikes: Sequence[str]) -> Round:
        """Start all shards, strike them as they go, run again what has not ended well, and look at what is there."""
        began = time.monotonic()
        with sandbox_process(
            self._folder, "--locations", f"1001-{1000 + self._size.rows}", "--latency", "5-40ms"
        ) as at:
            self._write_input(at)
            try:
                for shard in range(self._size.shards):
                    self._start(shard)
                self._strike(at, strikes)
                self._wait()
                self._judge(at)
            finally:
                for child in [*self._children.values(), *(each.child for each in self._paused), *self._awake]:
                    child.kill()
                    child.wait()
        self._round.seconds = time.monotonic() - began
        return self._round

    def _write_input(self, address: str) -> None:
        rows = [
            f"{1001 + number},BookingCreate,https://hooks.example.com/{name},{name}\n"
            for number in range(self._size.rows)
            for name in self._names
        ]
        (self._folder / "hooks.csv").write_text("BusinessId,Action,URL,Account\n" + "".join(rows))
        accounts = (
            f'[accounts.{name}]\ntoken_env = "TOKEN_{name.upper()}"\nbase_url = "{address}"\n' for name in self._names
        )
        (self._folder / "accounts.toml").write_text("".join(accounts))

    def _start(self, shard: int) -> None:
        """A process for a shard; where another one has its accounts, it waits until it can take them over."""
        command = [
            sys.executable, *self._program, "run", "hooks.csv", "--accounts", "accounts.toml",
            "--journal", self._journal, "--run-id", "night",
            "--shard", f"{shard}/{self._size.shards}", "-o", f"part-{next(self._count)}.csv",
            "--lease", f"{self._size.lease:g}", "--wait-lock", "120", "--timeout", "2", "--settle", "0.5", "--yes",
            "--no-progress", *UNLIMITED, "--rate", "20/s",
        ]  # fmt: skip
        environment = {**os.environ, **self._tokens, "PYTHONPATH": str(ROOT)}
        self._children[shard] = subprocess.Popen(
            command, cwd=self._folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def _strike(self, address: str, strikes: Sequence[str]) -> None:
        """Strike a shard that is at work, each time when a moment that was drawn has come."""
        total = self._size.accounts * self._size.rows
        moments = sorted(self._draw.randrange(1, total) for _ in strikes)
        for strike, moment in zip(strikes, moments, strict=True):
            while True:
                at_work = [shard for shard, child in self._children.items() if child.poll() is None]
                if not at_work or self._stored(address) >= moment:
                    break
                self._wake()
                time.sleep(0.05)
            if not at_work:
                return
            shard = self._draw.choice(at_work)
            child = self._children[shard]
            if strike == "kill":
                child.kill()
                child.wait()
                self._round.kills += 1
            else:
                child.send_signal(signal.SIGSTOP)
                self._paused.append(_Paused(shard, child, self._draw.random() < 0.5))
                self._round.pauses += 1
            self._start(shard)

    def _stored(self, address: str) -> int:
        return int(httpx.get(f"{address}/sandbox/stats").json()["webhooks"])

    def _wake(self) -> None:
        """Let those go on that were paused, once their successor has taken over, or has ended."""
        for each in list(self._paused):
            successor = self._children[each.shard]
            if successor.poll() is not None or (each.soon and self._has_taken_over(successor)):
                each.child.send_signal(signal.SIGCONT)
                self._paused.remove(each)
                self._awake.append(each.child)

    def _has_taken_over(self, child: subprocess.Popen[bytes]) -> bool:
        with psycopg.connect(self._journal, autocommit=True) as connection:
            held = "SELECT 1 FROM bulkhooks.leases WHERE holder LIKE %s LIMIT 1"
            return connection.execute(held, [f"process {child.pid} on %"]).fetchone() is not None

    def _wait(self) -> None:
        """Until all have ended; what has not ended well is run once more."""
        until = time.monotonic() + _PATIENCE
        while self._paused or any(child.poll() is None for child in self._children.values()):
            assert time.monotonic() < until, "a process does not end"
            self._wake()
            time.sleep(0.05)
        for child in self._awake:
            self._round.codes[child.wait(_PATIENCE)] += 1
        for shard, child in list(self._children.items()):
            self._round.codes[child.returncode] += 1
            if child.returncode:
                self._round.repeated += 1
                self._start(shard)
                code = self._children[shard].wait(_PATIENCE)
                self._round.codes[code] += 1
                if code:
                    self._round.wrong.append(f"shard {shard} ended with {code}, run again")

    def _judge(self, address: str) -> None:
        """What the server has beside what was asked for, and what the results tell of it."""
        wanted = {
            (1001 + number, f"https://hooks.example.com/{name}")
            for number in range(self._size.rows)
            for name in self._names
        }
        there = stored(address)
        found = Counter((each["BusinessId"], each["URL"]) for each in there)
        self._round.twice = sum(count - 1 for count in found.values())
        self._round.lost = len(wanted - found.keys())
        done = bulkhooks("results", "--run", "night", "--journal", self._journal, "-o", "whole.csv", cwd=self._folder)
        if done.returncode:
            self._round.wrong.append(f"results ended with {done.returncode}: {done.stdout}{done.stderr}")
        with (self._folder / "whole.csv").open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        if [row["Row"] for row in rows] != [f"hooks.csv:{number + 2}" for number in range(len(wanted))]:
            self._round.wrong.append(f"the results have {len(rows)} rows of {len(wanted)}, or in another order")
        ids = {int(row["WebhookId"]) for row in rows if row["Status"] == "created"}
        if not ids <= {each["Id"] for each in there} or len(ids) != len(wanted):
            self._round.wrong.append(f"the results know {len(ids)} ids of {len(wanted)}")
