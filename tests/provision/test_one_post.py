"""One POST on its way from the sender to the transport: who calls whom, by names alone."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

import bulkhooks
from tests.provision.fake import Bench, FakeApi, Row, drop_before

PACKAGE = str(Path(bulkhooks.__file__).parent)
SENDER = str(Path(PACKAGE, "provision", "sender.py"))


class Witness(FakeApi):
    """Keeps the stack of each write, from the transport outwards to the sender."""

    async def handle_async_request(self, request):
        if request.method != "GET":
            frames = [frame for frame, _ in traceback.walk_stack(None)]
            sender = next(number for number, frame in enumerate(frames) if frame.f_code.co_filename == SENDER)
            self.stacks = [*getattr(self, "stacks", ()), [frame.f_code for frame in frames[:sender]]]
        return await super().handle_async_request(request)


@pytest.mark.parametrize("verb", ["create", "update", "delete"])
async def test_a_write_is_at_most_eight_frames_from_the_transport(tmp_path, verb):
    """Between the two, the client's own frames among them; none is a lambda, none belongs to a wrapper."""
    api = Witness()
    bench = Bench(tmp_path, api, if_exists="update", prune=True)
    await bench.run([Row()])
    if verb == "update":
        await bench.run([Row(active=0)])
    if verb == "delete":
        await bench.run([Row(1002)])
    (stack,) = [stack for stack in api.stacks if f"Account.{verb}" in {code.co_qualname for code in stack}][:1]
    ours = [code for code in stack if code.co_filename.startswith(PACKAGE)]
    names = [code.co_qualname for code in reversed(ours)]
    assert len(ours) <= 8, names
    assert names[:5] == [
        f"Account.{verb}",
        "Account._write",
        "Account._call",
        "Dispatcher.send",
        f"NexudusClient.{verb}",
    ]
    assert not [code for code in stack if "<lambda>" in code.co_qualname or "functools" in code.co_filename]


async def test_a_write_that_is_sent_again_goes_the_same_way(tmp_path):
    """After a look-up the second POST has the frames of the first, and one for the look-up before it."""
    api = Witness([drop_before])
    await Bench(tmp_path, api, settle=1).run([Row()])
    first, second = ([code.co_qualname for code in stack] for stack in api.stacks)
    assert first == second
