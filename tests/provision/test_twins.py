"""Sends that arrive after they were looked up: no second one without need, and both are ours where there are two."""

from __future__ import annotations

import pytest

from bulkhooks.provision.journal import history
from tests.provision.fake import Bench, FakeApi, Row, drop_before, later, rows_at, status, throttle

pytestmark = pytest.mark.usefixtures("on_both_kinds")


def owned(bench):
    """The ids that the journal knows to be ours."""
    with bench.journal() as journal:
        return history.owned(journal, 1)["id"].tolist()


def warnings(ran):
    return [warning and warning.partition(":")[0] for warning in ran.told("Warning")]


async def test_a_send_that_arrives_after_it_was_sent_again_is_ours_as_well(tmp_path):
    """The row is ``created`` with the warning ``twin``, and both ids stand in the journal."""
    api = FakeApi([later(50)])
    bench = Bench(tmp_path, api, settle=30)
    ran = await bench.run(rows_at(1001, 1002))
    assert (ran.statuses, warnings(ran)) == (["created"] * 2, ["twin", None])
    assert len(api.webhooks) == 3
    assert owned(bench) == sorted(api.webhooks)
    ids = [number for number, each in api.webhooks.items() if each["BusinessId"] == 1001]
    assert all(str(number) in ran.told("Warning")[0] for number in ids)


async def test_two_sends_that_are_found_at_once_are_both_ours(tmp_path):
    """The second was in doubt as well."""
    api = FakeApi([later(50), later(5)])
    bench = Bench(tmp_path, api, settle=30)
    ran = await bench.run([Row()])
    assert (ran.statuses, ran.told("Verified"), warnings(ran)) == (["created"], ["yes"], ["twin"])
    assert owned(bench) == sorted(api.webhooks)
    assert len(api.webhooks) == 2


async def test_what_arrives_after_the_run_is_found_by_the_next_one(tmp_path):
    """It is owned from then on, and the row of the run that sent it has the warning too."""
    api = FakeApi([later(90)])
    bench = Bench(tmp_path, api, settle=30)
    first = await bench.run([Row()])
    assert (first.statuses, warnings(first), len(owned(bench))) == (["created"], [None], 1)
    api.answer(api.postponed.pop()[1])
    ran = await bench.run([Row()])
    assert (ran.statuses, len(api.webhooks)) == (["exists"], 2)
    assert owned(bench) == sorted(api.webhooks)
    with bench.journal() as journal:
        (row,) = history.results(journal, 1)
    assert any("twin: " in str(cell) for cell in row.cells)


async def test_what_was_sent_three_times_may_turn_up_three_times(tmp_path):
    """Each of them is owned by the first run that sees it."""
    api = FakeApi([later(900), later(900)])
    bench = Bench(tmp_path, api, settle=30)
    await bench.run([Row()])
    for there in (2, 3):
        api.answer(api.postponed.pop()[1])
        await bench.run([Row()])
        assert len(api.webhooks) == there
        assert owned(bench) == sorted(api.webhooks)


async def test_what_nobody_sent_again_is_not_ours(tmp_path):
    """A webhook of somebody else beside ours stays theirs."""
    api = FakeApi()
    bench = Bench(tmp_path, api)
    first = await bench.run([Row()])
    api.add(1001, 6, Row.url)
    await bench.run([Row()])
    assert owned(bench) == first.ids


@pytest.mark.parametrize(
    "wait", [[throttle(40)], [status(503, Retry_After="40")], [throttle(20), throttle(20)]], ids=["409", "503", "twice"]
)
async def test_a_look_up_that_was_too_long_ago_is_made_again(tmp_path, wait):
    """The first send arrived while the second waited: it is found, and not sent again."""
    api = FakeApi([later(45), *wait])
    ran = await Bench(tmp_path, api, settle=30).run([Row()])
    assert (ran.statuses, ran.told("Verified"), len(api.webhooks)) == (["created"], ["yes"], 1)


async def test_a_look_up_is_made_again_after_a_wait_for_the_limits(tmp_path):
    """One write a minute: the slot of the second send comes later than ``--settle`` after its look-up."""
    api = FakeApi([later(45)])
    ran = await Bench(tmp_path, api, settle=10, rate=["1/min"]).run([Row()])
    assert (ran.statuses, len(api.webhooks)) == (["created"], 1)


async def test_look_ups_that_grow_old_do_not_keep_others_from_being_sent(tmp_path):
    """Every row is in doubt, and the limit lets each wait for far longer than ``--settle``: all are made, once each."""
    api = FakeApi([drop_before] * 6)
    ran = await Bench(tmp_path, api, settle=5, rate=["1/min"]).run(rows_at(*range(1001, 1007)))
    assert (ran.statuses, len(api.webhooks)) == (["created"] * 6, 6)
    assert len(api.log) < 100
