"""Any sequence of runs, kills, interrupts, outages, edits, deletions, lags, shifts and wrong clocks: in the end each
webhook is there once."""

from __future__ import annotations

import random
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.provision.fake import (
    Bench,
    FakeApi,
    Row,
    done_but,
    drop_after,
    drop_before,
    interrupt,
    later,
    refuse_connection,
    status,
    throttle,
    wall,
)

POOL = [Row(location, action) for location in (1001, 1002, 1003) for action in (6, 7)]
FATES = [None, None, drop_before, drop_after, status(500), done_but(500), throttle(2), refuse_connection, later(20)]

PER_DAY = 15
"""Writes that the account's limit takes in a day."""

inputs = st.lists(st.sampled_from(POOL), unique=True, min_size=1, max_size=len(POOL))
fates = st.lists(st.sampled_from(FATES), max_size=8)


class Killed(BaseException):
    """The process is gone."""


@dataclass
class MortalApi(FakeApi):
    """Its client may be killed when a request comes in; what is on its way then arrives, does not, or arrives late."""

    kill_at: int | None = 0
    draw: random.Random | None = None
    at_kill: object = None
    in_flight: list = field(default_factory=list)
    ours: set = field(default_factory=set)

    async def handle_async_request(self, request):
        if self.kill_at is None:
            raise Killed
        self.in_flight.append(request)
        self.kill_at -= 1
        if self.kill_at == 0:
            self.kill()
        await anyio.sleep(0.1)  # whoever is killed in here has it on its way
        if self.kill_at is None:
            raise Killed
        self.in_flight.remove(request)
        return await super().handle_async_request(request)

    def kill(self):
        """Everything after this moment is not done by the client."""
        self.at_kill()
        self.kill_at = None
        for request in self.in_flight:
            if request.method != "GET":
                match self.draw.randrange(3):
                    case 0:
                        self.answer(request)
                    case 1:
                        self.postponed.append((anyio.current_time() + 20, request))
        self.in_flight.clear()
        self.hidden.clear()  # whoever was killed may not have the id of what was answered: a search shows it in time
        raise Killed

    def answer(self, request):
        answer = super().answer(request)
        if request.method == "POST":
            self.ours.add(self.last_id)
        return answer


class Jobs(RuleBasedStateMachine):
    """A person, a machine that dies, an API that fails, and somebody else on the server."""

    @initialize(theirs=inputs)
    def begin(self, theirs):
        """Somebody else has made some already."""
        self.folder = Path(tempfile.mkdtemp())
        self.api = MortalApi()
        for row in theirs:
            self.api.add(row.business_id, row.action, row.url)
        self.bench = Bench(self.folder, self.api, concurrency=3, retries=3, rate=(f"{PER_DAY}/day",), wall=self._wall)
        self.skew = 0.0
        for row in POOL[::2]:
            self._bystander(row.business_id)
        self.now = 0.0
        self.input = POOL[:3]

    def teardown(self):
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)

    @rule(rows=inputs)
    def edit_the_input(self, rows):
        self.input = rows

    @rule(number=st.integers(0, 9))
    def somebody_deletes_one(self, number):
        if self.api.webhooks:
            self.api.webhooks.pop(sorted(self.api.webhooks)[number % len(self.api.webhooks)])

    @rule(seconds=st.sampled_from([0, 5, 45, 3600]))
    def searches_lag(self, seconds):
        """Longer than the settle, too: what was answered is known."""
        self.api.lag = seconds

    @rule(how=st.sampled_from(["", "delete", "create"]), size=st.sampled_from([1, 2, 500]))
    def pages_shift(self, how, size):
        """Between two pages of a list somebody deletes one of theirs, or makes one."""

        def shift(request):
            location = int(request.url.params.get("WebHook_Business", 1001))
            theirs = [number for number, each in self.api.webhooks.items() if each["Name"] == "bystander"]
            if how == "create" and len(theirs) < 10:
                self._bystander(location)
            elif how == "delete" and theirs:
                self.api.webhooks.pop(theirs[0])

        self.api.page_size, self.api.between_pages = size, shift if how else None

    @rule(days=st.sampled_from([-400, -1, 0, 1, 30]))
    def clock_jumps(self, days):
        """The clock on the wall is set, right or wrong."""
        self.skew = days * 86_400

    @rule(
        writes=fates,
        options=st.fixed_dictionaries(
            {}, optional={"limit": st.integers(0, 3), "canary": st.just(2), "prune": st.booleans()}
        ),
    )
    def run(self, writes, options):
        self._run(writes, **options)

    @rule(writes=fates, at=st.integers(1, 12))
    def run_and_interrupt(self, writes, at):
        def judge(request):
            if len(self.api.log) >= start + at:
                interrupt(self.bench.session)

        start = len(self.api.log)
        self.api.judge = judge
        self._run(writes)
        self.api.judge = None

    @rule(writes=fates, at=st.integers(1, 12), seed=st.integers(0, 1000), prune=st.booleans())
    def run_and_kill(self, writes, at, seed, prune):
        self.api.kill_at, self.api.draw, self.api.at_kill = at, random.Random(seed), self._snapshot
        self._run(writes, prune=prune)
        self.api.kill_at = 0
        self.api.in_flight.clear()

    @rule()
    def run_to_the_end_and_look(self):
        """Without further trouble: what the input names is there once, and of ours nothing else."""
        self.api.between_pages = None
        ran = self._run_until_done()
        wanted = sorted((row.business_id, row.action, row.url) for row in self.input)
        assert {*ran.statuses} <= {"created", "exists", "deleted", "missing"}, ran.rows
        stored = self.api.stored()
        assert len(stored) == len(set(stored)), stored
        assert set(wanted) <= set(stored)
        ours = [each for number, each in self.api.webhooks.items() if number in self.api.ours]
        assert {(each["BusinessId"], each["Action"], each["URL"]) for each in ours} <= set(wanted)
        ids = {row["WebhookId"] for row in ran.rows if row["Status"] in {"created", "exists"}}
        assert ids <= set(self.api.webhooks)
        assert len(ids) == len(wanted)

    def _run_until_done(self):
        """A run a day, for the limit takes so many writes a day and no more."""
        for _ in range(len(POOL)):
            self.now += 86_400
            ran = self._run([], prune=True)
            if "pending" not in ran.statuses:
                break
        return ran

    def _wall(self):
        return wall() + self.skew

    def _bystander(self, location):
        """A webhook of somebody else that no input names."""
        self.api.add(location, 3, f"https://others.example.com/{self.api.last_id}", Name="bystander")

    def _run(self, writes, **options):
        self.api.next_writes = list(writes)
        clock = trio.testing.MockClock(autojump_threshold=0)
        clock.jump(self.now)

        async def main():
            try:
                return await self.bench.run(self.input, **options)
            finally:
                self.now = anyio.current_time() + 1

        try:
            return trio.run(main, clock=clock)
        except BaseException:
            if self.api.kill_at is not None:
                raise
            self._restore()
            return None

    # What a killed process leaves behind: what was on the disk at that moment.

    def _snapshot(self):
        for name in ("journal.db", "journal.db-wal"):
            if (self.folder / name).exists():
                shutil.copy(self.folder / name, self.folder / f"kept.{name}")

    def _restore(self):
        for path in self.folder.glob("journal.db*"):
            path.unlink()
        for path in self.folder.glob("kept.*"):
            path.rename(self.folder / path.name.removeprefix("kept."))


class TestJobs(Jobs.TestCase):
    """Never twice, never lost, whatever happens in between."""

    settings = settings(max_examples=8, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.heavy
class TestManyJobs(Jobs.TestCase):
    """The same, longer."""

    settings = settings(TestJobs.settings, max_examples=60)
