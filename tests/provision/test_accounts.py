"""Accounts side by side, each under its own limits."""

from __future__ import annotations

import anyio
import pytest

from tests.provision.fake import Bench, FakeApi, rows_at

pytestmark = pytest.mark.usefixtures("on_both_kinds")


async def seconds_for(names, folder):
    """How long 150 writes for each account take."""
    bench = Bench(folder, {name: FakeApi(latency=0.05) for name in names}, rate=["60/min"])
    started_at = anyio.current_time()
    ran = await bench.run([row for name in names for row in rows_at(*range(1, 151), account=name)])
    assert ran.statuses == ["created"] * (150 * len(names))
    return anyio.current_time() - started_at


async def test_many_accounts_take_no_longer_than_one(tmp_path):
    """Each has its own 60 a minute, and none waits for another."""
    one = await seconds_for(["a"], tmp_path / "one")
    many = await seconds_for([f"a{number}" for number in range(10)], tmp_path / "many")
    assert one >= 120
    assert many == pytest.approx(one, rel=0.02)
