"""What came while the process was stopped is read before its time is said to be over."""

from __future__ import annotations

import asyncio
import selectors
import socket
import time

import anyio
import pytest

from bulkhooks.errors import InDoubt
from bulkhooks.provision import event_loop
from tests.nexudus.conftest import BODY, CREATED, answer
from tests.nexudus.test_transport import client_to

TIME = 0.2
"""Seconds that are given, of which none is left after the stop."""


class StoppedOnce(selectors.DefaultSelector):
    """As of a process that is stopped right after it has looked at its connections, for longer than any time it gave.

    That is once, after ``begin``; ``meanwhile`` happens in it.
    """

    def __init__(self, meanwhile):
        super().__init__()
        self.meanwhile = meanwhile
        self.is_next = False

    def begin(self):
        self.is_next = True

    def select(self, timeout=None):
        seen = super().select(timeout)
        if self.is_next and timeout != 0:
            self.is_next = False
            self.meanwhile()
            time.sleep(3 * TIME)
        return seen


def created_by(server, loop, text):
    """The id of a webhook that is created while the process is stopped; ``text`` is what comes from the server then."""
    connections = []

    def answer_it():
        connections.append(server.accept()[0])
        connections[0].sendall(text)

    selector = StoppedOnce(answer_it)

    async def stop_next():
        selector.begin()

    async def create():
        async with client_to(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=TIME) as client:
            return await client.create(BODY, stop_next)

    try:
        return anyio.run(create, backend_options={"loop_factory": lambda: loop(selector)})
    finally:
        connections[0].close()


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def test_an_id_that_came_while_the_process_was_stopped_is_received(server):
    """Longer than ``--timeout``, and than the time for the whole exchange."""
    assert created_by(server, event_loop.EventLoop, answer(CREATED)) == 87654321


def test_a_create_is_in_doubt_where_its_answer_did_not_come_whole_before_the_process_went_on(server):
    with pytest.raises(InDoubt, match="no whole answer"):
        created_by(server, event_loop.EventLoop, answer(CREATED)[:-1])


def test_the_loop_of_the_library_would_lose_that_id(server):
    """Why there is a loop of our own: once this fails, there need be none."""
    with pytest.raises(InDoubt, match="no whole answer"):
        created_by(server, asyncio.SelectorEventLoop, answer(CREATED))


def test_the_loop_is_the_one_in_which_commands_run():
    async def loop():
        return type(asyncio.get_running_loop())

    assert event_loop.run(loop) is event_loop.EventLoop


def test_a_timer_that_is_cancelled_when_its_time_is_over_does_not_run():
    """As that of a request whose answer has just been read."""
    ran = []

    async def cancel_late():
        timer = asyncio.get_running_loop().call_later(0, ran.append, "cancelled")
        asyncio.get_running_loop().call_later(0, ran.append, "another")
        for _ in range(2):
            await asyncio.sleep(0)
        assert ran == []
        timer.cancel()
        await asyncio.sleep(TIME)

    event_loop.run(cancel_late)
    assert ran == ["another"]
