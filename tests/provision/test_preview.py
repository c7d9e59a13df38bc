"""A plan made exact, and what carrying it out takes."""

from __future__ import annotations

from tests.provision.fake import Bench, FakeApi, Row, drop_after, refuse_connection, rows_at, status


async def test_a_plan_says_what_would_change_and_changes_nothing(tmp_path):
    """Only the full record tells; a row that would change nothing is ``exists``. No write leaves."""
    api = FakeApi()
    api.add(1001, 6, Row.url, Active=False)
    api.add(1002, 6, Row.url, Description="same")
    rows = [Row(1001, active=1), Row(1002, description="same"), Row(1003)]
    plan, found = await Bench(tmp_path, api, if_exists="update").plan(rows)
    assert plan.rows["changes"].tolist() == ["Active: false -> true", "", "create"]
    assert (plan.changes(), found.writes, found.requests) == ({"create": 1, "update": 1}, 2, 3)
    assert {method for _, method, *_ in api.log} == {"GET"}


async def test_a_plan_tells_of_doubts_and_leaves_them(tmp_path):
    """What is in doubt would be looked up; a plan is no look-up, and the next run still knows."""
    api = FakeApi([drop_after])
    bench = Bench(tmp_path, api)
    await bench.run([Row()], max_runtime=5)
    api.webhooks.clear()
    plan, _ = await bench.plan([Row()])
    assert plan.changes() == {"look up": 1}
    assert (await bench.run([Row()])).told("Attempts") == [1]


async def test_a_record_that_may_not_be_read_is_planned_all_the_same(tmp_path):
    """The plan says that what would change is not known."""
    api = FakeApi(judge=lambda request: status(403) if request.url.path.endswith("/101") else None)
    api.add(1001, 6, Row.url)
    plan, _ = await Bench(tmp_path, api, if_exists="update").plan([Row(active=0)])
    assert plan.changes() == {"update": 1}
    assert plan.rows["changes"][0].startswith("not known: ")


async def test_an_api_that_is_down_ends_a_plan(tmp_path):
    """The account is given up; what it has is not known."""
    api = FakeApi(judge=lambda request: refuse_connection)
    plan, _ = await Bench(tmp_path, api, give_up_after=30).plan([Row()])
    assert plan.rows["status"].tolist() == ["pending"]


async def test_time_and_days_at_the_limits_are_told(tmp_path):
    """25 writes under 10 a day, 4 of them used: the days on which something is sent, and what is left now."""
    api = FakeApi()
    bench = Bench(tmp_path, api, rate=["10/day"])
    await bench.run(rows_at(*range(2001, 2005)))
    _, found = await bench.plan(rows_at(*range(1001, 1026)))
    assert (found.writes, found.days, found.cap_left, found.seconds) == (25, 3, 6, 2 * 86_400)
