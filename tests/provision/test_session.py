"""Lines and locks of a session."""

from __future__ import annotations

import pytest

from bulkhooks.errors import LockedError, UsageError
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.session import AccountConfig, Session, Terms
from tests.nexudus.conftest import authorization
from tests.provision.fake import FakeApi

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
        line = await first.open(account("acme"), lock=True)
        journal.begin("run-7", command="run", job="", inputs=[], accounts=[line.account], at=1_800_000_000.0)
        with Journal(tmp_path / "journal.db") as same:
            async with Session(same, Terms(transport=FakeApi())) as second:
                with pytest.raises(LockedError, match=r"run run-7 \(process \d+ on .*\).*since 2027-01-15T08:00"):
                    await second.open(account("acme"), lock=True)
