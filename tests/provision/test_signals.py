"""Signals in a program that uses the library: heard while a session is open, and the host's own before and after."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading

import anyio
import pytest

from bulkhooks.errors import Aborted, Stopped
from bulkhooks.provision import event_loop
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.session import Session
from bulkhooks.provision.signals import STOPPING
from bulkhooks.provision.terms import Terms

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a process of Windows cannot send itself a signal")

SIGNALS = [pytest.param(number, id=signal.Signals(number).name) for number in STOPPING]


def of_the_host(number, frame):
    """A handler as a host program has it."""
    raise AssertionError("the host was told")


HANDLERS = [of_the_host, signal.SIG_DFL, signal.default_int_handler]


@pytest.fixture(autouse=True)
def _as_before():
    before = {number: signal.getsignal(number) for number in STOPPING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def handlers():
    return [signal.getsignal(number) for number in STOPPING]


@pytest.fixture
def journal(tmp_path):
    with Journal(tmp_path / "journal.db") as journal:
        yield journal


async def wait_inside(journal, *numbers):
    """A session that waits for something that never comes, while these signals come to the process."""
    async with Session(journal, Terms()) as session:
        with session.stoppable():
            for number in numbers:
                signal.raise_signal(number)
            await anyio.sleep_forever()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_ends_the_waiting(journal, number, backend):
    """Under either event loop; the host hears nothing of it."""
    for each in STOPPING:
        signal.signal(each, of_the_host)
    with pytest.raises(Stopped, match=signal.Signals(number).name):
        anyio.run(wait_inside, journal, number, backend=backend)
    assert handlers() == [of_the_host] * len(STOPPING)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("handler", HANDLERS)
def test_the_handlers_of_the_host_are_back_afterwards(journal, handler, backend):
    """Its own, the system's and Python's, also where the session ends with an error."""
    for number in STOPPING:
        signal.signal(number, handler)

    async def fail():
        async with Session(journal, Terms()):
            assert handler not in handlers()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        anyio.run(fail, backend=backend)
    assert handlers() == [handler] * len(STOPPING)


def test_handlers_of_the_hosts_event_loop_are_back_afterwards(journal):
    """``loop.add_signal_handler`` of asyncio: heard again as soon as the session is over."""

    async def host():
        loop, heard = asyncio.get_running_loop(), asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, heard.set)
        async with Session(journal, Terms()):
            pass
        signal.raise_signal(signal.SIGTERM)
        await heard.wait()
        loop.remove_signal_handler(signal.SIGTERM)

    asyncio.run(host())


def test_sessions_side_by_side_hear_each_signal_together(tmp_path):
    """And whichever is over last, the host's handlers are back."""
    signal.signal(signal.SIGTERM, of_the_host)
    ended = []

    async def one(name, begun, last):
        with Journal(tmp_path / name) as journal:
            try:
                async with Session(journal, Terms()) as session:
                    begun.set()
                    with session.stoppable():
                        await anyio.sleep_forever()
            except Stopped:
                ended.append(name)
                if last is not None:
                    await last.wait()

    async def host():
        first, second = anyio.Event(), anyio.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(one, "first.db", first, None)
            await first.wait()
            group.start_soon(one, "second.db", second, None)
            await second.wait()
            signal.raise_signal(signal.SIGTERM)

    anyio.run(host)
    assert sorted(ended) == ["first.db", "second.db"]
    assert signal.getsignal(signal.SIGTERM) is of_the_host


def test_an_ignored_signal_stays_ignored(journal):
    """As nohup leaves SIGHUP, and a shell's ``&`` SIGINT."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with pytest.raises(Stopped, match="SIGTERM"):
        anyio.run(wait_inside, journal, signal.SIGHUP, signal.SIGTERM)
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def test_in_another_thread_no_handler_is_touched(journal):
    """Only the main thread may; the session works all the same."""
    before, seen = handlers(), []

    async def look():
        async with Session(journal, Terms()):
            seen.extend(handlers())

    thread = threading.Thread(target=anyio.run, args=(look,))
    thread.start()
    thread.join()
    assert seen == before == handlers()


def test_the_second_signal_ends_work_that_never_awaits(journal):
    """The event loop has no turn in which it could hear of either."""

    async def work():
        async with Session(journal, Terms()) as session:
            with session.stoppable(), session.standing_still():
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGHUP)
                pytest.fail("it went on")

    with pytest.raises(Aborted):
        anyio.run(work)


def test_two_signals_that_come_while_a_timer_is_at_work_are_both_heard(journal):
    """It is work of the event loop, in which an error would go no further."""

    def two_signals():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)

    async def wait():
        async with Session(journal, Terms()) as session:
            asyncio.get_running_loop().call_later(0, two_signals)
            with session.stoppable():
                await anyio.sleep_forever()

    with pytest.raises(Aborted):
        event_loop.run(wait)
