"""Small jobs of every kind, and how one is played: runs in bad weather, with signals, and then until it is done."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.faults import FAIR, storm
from tests.chaos.oracle import LOST, WRONG, Ended, Oracle
from tests.chaos.program import Program
from tests.chaos.server import Server
from tests.chaos.signals import strike
from tests.chaos.store import Key, key_of

SETTLE, TIMEOUT = 0.4, 1.0
OPTIONS = (
    "--rate", "none", "--request-rate", "none", "--settle", SETTLE, "--timeout", TIMEOUT, "--give-up-after", 4,
    "--retries", 2, "--journal", "journal.db", "--no-progress", "--yes", "--json",
)  # fmt: skip
ENVIRONMENT = {"NEXUDUS_TOKEN": "token-of-default", "TOKEN_OF_ACME": "token-of-acme"}
KINDS = ("create", "update", "replaces", "prune", "undo", "canary", "limit", "accounts", "again", "beyond")
MOST_FAIR_RUNS = 12
URL = "https://hooks.example.com/in"
OLD = "https://hooks.example.com/old"


@dataclass
class Tally:
    """What came of jobs: the figures of the table."""

    jobs: Counter[str] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    signals: Counter[str] = field(default_factory=Counter)
    found: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.jobs += other.jobs
        self.runs += other.runs
        self.faults += other.faults
        self.signals += other.signals
        self.found += other.found


class Job:
    """One job with a server and a journal of its own; what happens to it is decided by the seed.

    ``storms``: how many processes at most meet bad weather before it clears.
    """

    def __init__(self, program: Program, folder: Path, seed: int, kind: str, storms: int) -> None:
        self.program, self.folder, self.kind, self.seed = program, folder, kind, seed
        self.storms = storms
        self.draw = random.Random(f"{kind} {seed}")
        self.server = Server(seed, SETTLE, TIMEOUT)
        self.oracle = Oracle(self.server.store, folder / "journal.db")
        self.tally = Tally(jobs=Counter({kind: 1}))
        self.last: Ended | None = None
        self.results = folder / "none"
        self.header = "BusinessId,Action,URL"
        self.lines: list[str] = []
        self.wanted: list[Key] = []
        self.gone: list[Key] = []
        self.more: tuple[object, ...] = ()

    def play(self) -> Tally:
        """From its first process to its last."""
        self._prepare()
        try:
            getattr(self, f"_{self.kind}", self._create)()
        finally:
            self.server.close()
        self.tally.faults += self.server.faults
        self.tally.found += [(kind, f"{self.kind} {self.seed}", sentence) for kind, sentence in self.oracle.found]
        return self.tally

    def _prepare(self) -> None:
        locations, events = self.draw.randint(1, 5), self.draw.sample(range(6, 20), self.draw.randint(1, 4))
        store = self.server.store
        self.shifts = self.draw.choice(["", "", "delete", "create"])
        for location in range(1001, 1001 + locations):
            for _ in range(self.draw.randint(0, 6)):
                store.bystander("default", location)
            for event in events:
                self._line(location, event)

    def _line(self, location: int, event: int) -> None:
        account = self.draw.choice(["default", "acme"]) if self.kind == "accounts" else "default"
        store, is_there = self.server.store, self.draw.random() < 0.4
        line = f"{location},{event},{URL}"
        match self.kind:
            case "accounts":
                line += f",{account}"
                if is_there:
                    store.theirs(account, location, event, URL)
            case "update":
                line += f",new {location},{self.draw.choice(['yes', 'no', ''])}"
                if is_there:
                    store.theirs(account, location, event, URL, Name="old", Active=self.draw.random() < 0.5)
            case "replaces":
                line += f",{OLD}"
                if is_there:
                    store.theirs(account, location, event, OLD)
        self.lines.append(line)
        self.wanted.append(key_of(account, {"BusinessId": location, "Action": event, "URL": URL}))

    # The kinds. Those without a method of their own are creates with other options.

    def _create(self) -> None:
        self.header += {"update": ",Name,Active", "replaces": ",Replaces", "accounts": ",Account"}.get(self.kind, "")
        self.more = {
            "update": ("--if-exists", "update"),
            "canary": ("--canary", 2),
            "limit": ("--limit", 3),
            "accounts": ("--accounts", "accounts.toml"),
        }.get(self.kind, ())
        if self.kind == "accounts":
            (self.folder / "accounts.toml").write_text(
                '[accounts.default]\ntoken_env = "NEXUDUS_TOKEN"\n[accounts.acme]\ntoken_env = "TOKEN_OF_ACME"\n'
            )
        self._until_done("run")
        self._nothing_left_to_do()

    def _prune(self) -> None:
        self._until_done("run")
        keep = self.draw.randint(0, len(self.lines) - 1) if len(self.lines) > 1 else 1
        self.gone, self.wanted, self.lines = self.wanted[keep:], self.wanted[:keep], self.lines[:keep]
        if not self.lines:  # an input without a row is an error
            self.lines, self.wanted, self.gone = ["1001,5," + URL], [], self.gone
            self.wanted = [key_of("default", {"BusinessId": 1001, "Action": 5, "URL": URL})]
        self.more = ("--prune", "--max-deletes", 100)
        self._until_done("run")
        self._nothing_left_to_do()

    def _undo(self) -> None:
        self._until_done("run")
        self.gone, self.wanted = self.wanted, []
        self._until_done("undo")

    def _beyond(self) -> None:
        """Requests are stored later than the settle: what is twice then is owned twice, told, and undone."""
        self._until_done("run", late=3.0)
        time.sleep(3 * SETTLE)
        self._process("run")
        assert self.last is not None
        twins = [key for key in self.wanted if len(self.server.store.live(key)) > 1]
        warned = {tuple(row[name] for name in ("BusinessId", "ActionId")) for row in self.last.rows if row["Warning"]}
        for key in twins:
            if (str(key[1]), str(key[2])) not in warned:
                self.oracle.say(WRONG, f"{key} is there twice, and no warning tells")
        self.oracle.at_the_end(self.wanted, [], self.last)
        self.gone, self.wanted = self.wanted, []
        self._until_done("undo")

    # Processes

    def _until_done(self, command: str, *, late: float = 0.8) -> None:
        """In bad weather a few times, then in fair weather until the exit code says that everything is done."""
        for _ in range(self.draw.randint(1, self.storms)):
            self.server.weather = storm(self.draw)
            self.server.weather.late = late
            self.server.store.shifts = self.shifts
            if self._process(command, is_stormy=True) == 0:
                break
        self.server.weather, self.server.store.shifts = FAIR, ""
        for _ in range(MOST_FAIR_RUNS):
            if self._process(command) == 0:
                break
        else:
            assert self.last is not None
            self.oracle.say(LOST, f"{command} is never done: {self.last.code} {self.last.err[-300:]}")
        assert self.last is not None
        self.oracle.at_the_end(self.wanted, self.gone, self.last, with_late=late <= 1)

    def _nothing_left_to_do(self) -> None:
        """The same command once more writes nothing."""
        before = len(self.server.store.posts)
        code = self._process("run")
        if code or len(self.server.store.posts) > before:
            self.oracle.say(WRONG, f"exit {code}, and {len(self.server.store.posts) - before} creates more")

    def _process(self, command: str, *, is_stormy: bool = False) -> int:
        """One process from its start to its end, judged; its exit code."""
        number = self.tally.runs.total()
        results = self.folder / f"{number}.csv"
        arguments = [command, *self._subject(command), "-o", results.name, "--base-url", self.server.base_url]
        for name in ("out", "err"):  # a child may be killed before it has made them
            (self.folder / name).write_bytes(b"")
        since, requests = time.monotonic(), self.server.count
        child = self.program.start([*arguments, *map(str, (*OPTIONS, *self.more))], self.folder, ENVIRONMENT)
        sent = strike(child, self.draw, lambda: self.server.count - requests) if is_stormy else []
        code = child.wait(120)
        if code is None:
            self.oracle.say(WRONG, f"{command}: still at work after two minutes")
            child.signal(9)
            code = child.wait(60) or -9
        out, err = ((self.folder / name).read_text(errors="replace") for name in ("out", "err"))
        self.last = Ended(command, code, out, err, results, since, sent)
        self.tally.runs[f"exit {code}" if code >= 0 else f"killed by {-code}"] += 1
        self.tally.signals.update(sent)
        self.oracle.after(self.last)
        if results.exists() and command == "run":
            self.results = results
        return code

    def _subject(self, command: str) -> list[str]:
        if command == "undo":
            self.more = ("--owned",)
            return [self.results.name]
        if self.kind == "again" and self.results.exists():
            return [self.results.name]
        (self.folder / "hooks.csv").write_text("\n".join([self.header, *self.lines]) + "\n")
        return ["hooks.csv"]
