"""Accounts and locks of a session."""

from __future__ import annotations

import anyio
import pytest

from bulkhooks.errors import Aborted, LockedError, Stopped, UsageError
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.listing import listing
from bulkhooks.provision.session import Session
from bulkhooks.provision.stopping import Halt
from bulkhooks.provision.terms import AccountConfig, Terms
from tests.nexudus.conftest import authorization
from tests.provision.fake import FakeApi, refuse_connection

TOKEN = {"NEXUDUS_TOKEN": "token-of-tests"}


def account(name, user=""):
    environment = {**TOKEN, "NEXUDUS_USERNAME": user} if user else TOKEN
    return AccountConfig(name, "https://spaces.example.com", authorization(environment))


@pytest.fixture
def journal(tmp_path):
    with Journal(tmp_path / "journal.db") as journal:
        yield journal


async def test_two_names_of_one_user_are_refused(journal):
    """They would share one set of limits and one list of rows, and know nothing of each other."""
    async with Session(journal, Terms(transport=FakeApi())) as session:
        await session.open(account("acme", "admin@example.com"))
        with pytest.raises(UsageError, match="'acme' and 'other'"):
            await session.open(account("other", "Admin@Example.com"))


async def test_a_lock_is_held_until_the_session_ends(journal, tmp_path):
    """A second session of the account is turned away, one of another account is not, and later there is no lock."""
    with Journal(tmp_path / "journal.db") as same:
        async with Session(journal, Terms(transport=FakeApi())) as first:
            await first.open(account("acme"), lock=True)
            async with Session(same, Terms(transport=FakeApi())) as second:
                with pytest.raises(LockedError, match="acme"):
                    await second.open(account("acme"), lock=True)
                await second.open(account("acme"))
                await second.open(account("other"), lock=True)
        async with Session(same, Terms(transport=FakeApi())) as third:
            await third.open(account("acme"), lock=True)


async def test_the_lock_says_which_run_has_it_and_since_when(journal, tmp_path):
    """The newest run of the account that has not ended."""
    async with Session(journal, Terms(transport=FakeApi())) as first:
        acme = await first.open(account("acme"), lock=True)
        journal.begin("run-7", command="run", job="", inputs=[], accounts=[acme.id], at=1_800_000_000.0)
        with Journal(tmp_path / "journal.db") as same:
            async with Session(same, Terms(transport=FakeApi())) as second:
                with pytest.raises(LockedError, match=r"run run-7 \(process \d+ on .*\).*since 2027-01-1[45] "):
                    await second.open(account("acme"), lock=True)


async def test_a_halt_ends_the_waiting_for_a_lock(journal, tmp_path):
    """A signal stops a session that waits for another run to end, at once and not after ``--wait-lock``."""
    with Journal(tmp_path / "journal.db") as same:
        async with Session(journal, Terms(transport=FakeApi())) as first:
            await first.open(account("acme"), lock=True)
            async with Session(same, Terms(transport=FakeApi(), wait_lock=3600)) as second:

                async def halt():
                    await anyio.sleep(5)
                    second.halt(Halt("stopped by SIGINT"))

                async with anyio.create_task_group() as group:
                    group.start_soon(halt)
                    started_at = anyio.current_time()
                    with pytest.raises(Stopped, match="SIGINT"):
                        await second.open(account("acme"), lock=True)
                    assert anyio.current_time() - started_at == pytest.approx(5)


VERBS = {
    "read": lambda acme: acme.read(101),
    "search": lambda acme: acme.search(1, 500),
    "businesses": lambda acme: acme.businesses(1, 500),
    "everything": listing.everything,
    "locations": listing.locations,
}


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
async def test_every_request_stops_on_a_halt_while_it_waits(journal, verb):
    """No caller opens a scope for it: waiting for a slot, or for an API that is down, ends with ``Stopped``."""
    api = FakeApi(judge=lambda request: refuse_connection)
    async with Session(journal, Terms(transport=api, give_up_after=36_000)) as session:
        acme = await session.open(account("acme"))

        async def halt():
            await anyio.sleep(500)
            session.halt(Halt("stopped by SIGINT"))

        async with anyio.create_task_group() as group:
            group.start_soon(halt)
            started_at = anyio.current_time()
            with pytest.raises(Stopped, match="SIGINT"):
                await verb(acme)
            assert anyio.current_time() - started_at == pytest.approx(500)
        with pytest.raises(Stopped):
            await verb(acme)


async def test_an_account_that_is_opened_after_a_halt_sends_nothing(journal):
    """The signal came while the first account was being opened."""
    api = FakeApi()
    async with Session(journal, Terms(transport=api)) as session:
        session.halt(Halt("stopped by SIGINT"))
        acme = await session.open(account("acme"))
        with pytest.raises(Stopped):
            await acme.search(1, 1)
    assert api.log == []


class _StoppedAtOnce(Journal):
    """A second signal comes while the journal's own task is at work."""

    async def keep(self):
        raise Aborted("stopped at once")


async def test_what_ends_a_task_of_the_session_comes_out_as_it_is(tmp_path):
    """Whoever uses the library catches ``Aborted`` too, and no group of one."""
    with _StoppedAtOnce(tmp_path / "journal.db") as journal, pytest.raises(Aborted, match="stopped at once"):
        async with Session(journal, Terms(transport=FakeApi())):
            await anyio.sleep(60)
