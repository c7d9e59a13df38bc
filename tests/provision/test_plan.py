"""What is there already, what is moved, what is pruned."""

from __future__ import annotations

import pytest

from tests.provision.fake import Bench, FakeApi, Row, drop_after, rows_at, status

pytestmark = pytest.mark.usefixtures("on_both_kinds")

OLD, NEW = "https://old.example.com/in", "https://new.example.com/in"


async def test_what_is_there_is_not_sent_whoever_made_it(tmp_path):
    """``exists`` with the id, and the URL and name of the server; scheme and host match whatever the case."""
    api = FakeApi()
    theirs = api.add(1001, 6, "https://HOOKS.example.com/In", Name="Front accounts")
    ran = await Bench(tmp_path, api).run(
        [Row(url="HTTPS://hooks.EXAMPLE.com/In"), Row(url="https://hooks.example.com/in")]
    )
    assert ran.statuses == ["exists", "created"]
    assert (ran.ids[0], ran.told("URL")[0], ran.told("Name")[0]) == (
        theirs,
        "https://HOOKS.example.com/In",
        "Front accounts",
    )
    assert api.count("POST") == 1


async def test_of_twins_the_lowest_id_counts_and_all_are_named(tmp_path):
    """A warning names the ids, for each event is delivered as often."""
    api = FakeApi()
    ids = [api.add(1001, 6, Row.url) for _ in range(3)]
    ran = await Bench(tmp_path, api).run([Row()])
    assert ran.ids == ids[:1]
    assert all(str(each) in str(ran.plan.warnings[0]) for each in ids)


async def test_fail_fails_what_is_there_and_sends_the_rest(tmp_path):
    """``--if-exists fail``: ``failed``, ``already-exists``."""
    api = FakeApi()
    api.add(1001, 6, Row.url)
    ran = await Bench(tmp_path, api, if_exists="fail").run(rows_at(1001, 1002))
    assert (ran.statuses, ran.told("ErrorCode")[0]) == (["failed", "created"], "already-exists")


async def test_update_sends_only_what_differs(tmp_path):
    """Name and Active are held against the list; a row that gives neither costs no request."""
    api = FakeApi()
    for number in range(1001, 1005):
        api.add(number, 6, Row.url, Name="as it was")
    rows = [Row(1001), Row(1002, name="as it was", active=1), Row(1003, name="renamed"), Row(1004, active=0)]
    ran = await Bench(tmp_path, api, if_exists="update").run(rows)
    assert ran.statuses == ["exists", "exists", "updated", "updated"]
    assert ran.told("Changes") == [None, None, "Name: as it was -> renamed", "Active: true -> false"]
    assert (api.count("PUT"), api.count("GET", "/api/sys/webhooks/")) == (2, 2)


async def test_what_was_deleted_on_the_server_is_created_again(tmp_path):
    """Once listed, the server decides, whatever the journal remembers."""
    api = FakeApi()
    bench = Bench(tmp_path, api)
    await bench.run([Row()])
    api.webhooks.clear()
    ran = await bench.run([Row()])
    assert (ran.statuses, len(api.webhooks)) == (["created"], 1)


async def test_without_listing_the_journal_decides(tmp_path):
    """One warning, and what this tool made before is ``exists`` with its id."""
    api = FakeApi(may_list=False)
    bench = Bench(tmp_path, api)
    first = await bench.run(rows_at(1001, 1002))
    ran = await bench.run(rows_at(1001, 1002, 1003))
    assert (ran.statuses, ran.ids[:2]) == (["exists", "exists", "created"], first.ids)
    assert len(ran.plan.warnings) == 1


def _refusing(locations, code=401, *, page=None):
    """Refuse to list these locations (0: all), or only a later page."""

    def judge(request):
        query = request.url.params
        if request.method != "GET" or "page" not in query:
            return None
        asked = int(query.get("WebHook_Business", 0))
        return status(code) if asked in locations and page in {None, query["page"]} else None

    return judge


@pytest.mark.parametrize("code", [401, 403])
async def test_a_location_that_may_not_be_listed_leaves_the_others_listed(tmp_path, code):
    """What was listed counts, for the others the journal decides; one warning names them."""
    api = FakeApi(judge=_refusing({1002, 1004}, code), page_size=1)
    bench = Bench(tmp_path, api)
    theirs = [api.add(number, 6, Row.url) for number in range(1001, 1006)]
    for number in range(20):
        api.add(5000 + number, 6, Row.url)
    ran = await bench.run(rows_at(*range(1001, 1006)))
    assert ran.statuses == ["exists", "created", "exists", "created", "exists"]
    assert ran.ids[::2] == theirs[::2]
    assert len(ran.plan.warnings) == 1
    assert "2 of 5 locations (1002, 1004;" in str(ran.plan.warnings[0])
    again = await bench.run(rows_at(*range(1001, 1006)))
    assert (again.statuses, again.ids) == (["exists"] * 5, ran.ids)


async def test_a_create_in_doubt_is_unknown_only_where_it_may_not_be_looked_up(tmp_path):
    """At the other locations it is looked up; ``--resend-unknown`` sends only what is ``unknown``."""
    api = FakeApi([None, drop_after, drop_after], judge=_refusing({1002}), page_size=1)
    for number in range(20):
        api.add(5000 + number, 6, Row.url)
    bench = Bench(tmp_path, api, concurrency=1)
    ran = await bench.run(rows_at(1001, 1002, 1003))
    assert ran.statuses == ["created", "unknown", "created"]
    assert api.count("POST") == 3
    assert (await bench.run(rows_at(1001, 1002, 1003))).statuses == ["exists", "unknown", "exists"]
    ran = await bench.run(rows_at(1001, 1002, 1003), resend_unknown=True)
    assert (ran.statuses, api.count("POST")) == (["exists", "created", "exists"], 4)


@pytest.mark.parametrize("code", [401, 400])
async def test_a_later_page_that_is_refused_leads_to_each_location_by_itself(tmp_path, code):
    """Page two of all may not be had: the locations are asked for one by one, and nobody is the wiser."""
    api = FakeApi(judge=_refusing({0}, code, page="2"), page_size=3)
    theirs = [api.add(number, 6, Row.url) for number in range(1001, 1006)]
    ran = await Bench(tmp_path, api).run(rows_at(*range(1001, 1008)))
    assert (ran.statuses, ran.ids[:5]) == (["exists"] * 5 + ["created"] * 2, theirs)
    assert ran.plan.warnings == []


async def test_what_a_good_page_has_said_counts_where_a_location_may_not_be_listed(tmp_path):
    """Page one of all was good, page two and then location 1001 are refused: what page one had of it is there."""
    api = FakeApi(judge=lambda request: _refusing({0}, page="2")(request) or _refusing({1001})(request), page_size=3)
    theirs = [api.add(number, 6, Row.url) for number in range(1001, 1006)]
    ran = await Bench(tmp_path, api).run(rows_at(*range(1001, 1006)))
    assert (ran.statuses, ran.ids) == (["exists"] * 5, theirs)
    assert "1 of 5 locations (1001;" in str(ran.plan.warnings[0])


async def test_where_the_first_request_is_refused_nothing_further_is_tried(tmp_path):
    """One request, one warning, and the journal decides for all."""
    api = FakeApi(judge=_refusing({0, *range(1001, 1041)}))
    ran = await Bench(tmp_path, api).run(rows_at(*range(1001, 1041)))
    assert (ran.statuses, api.count("GET"), len(ran.plan.warnings)) == (["created"] * 40, 1, 1)


FINAL = {
    "302": (status(302, Location="https://elsewhere.example.com"), "api-error"),
    "400": (status(400), "api-validation"),
    "404": (status(404), "api-not-found"),
    "405": (status(405), "api-error"),
}


@pytest.mark.parametrize(("fate", "code"), FINAL.values(), ids=FINAL)
async def test_a_listing_that_cannot_succeed_fails_its_rows(tmp_path, fate, code):
    """A wrong address does not mend itself: ``failed`` with the answer, and no write is sent."""
    bench = Bench(tmp_path, FakeApi())
    await bench.run(rows_at(1001, 1002))
    api = bench.apis["default"] = FakeApi(judge=lambda request: fate)
    ran = await bench.run(rows_at(1002, 1003), prune=True)
    assert (ran.statuses, ran.told("ErrorCode")) == (["failed"] * 2, [code] * 2)
    assert {method for _, method, *_ in api.log} == {"GET"}
    assert ran.halts["default"] is None
    assert any("--prune deletes nothing" in str(warning) for warning in ran.plan.warnings)


async def test_a_location_whose_listing_cannot_succeed_fails_alone(tmp_path):
    """The rows of the other locations are sent, and what was in doubt stays so in the journal."""
    api = FakeApi([drop_after], page_size=1)
    for number in range(20):
        api.add(5000 + number, 6, Row.url)
    bench = Bench(tmp_path, api)
    assert (await bench.run(rows_at(1001), max_runtime=5)).told("ErrorCode") == ["in-doubt"]
    api.judge = _refusing({1001}, 404)
    ran = await bench.run(rows_at(1001, 1002, 1003))
    assert (ran.statuses, ran.told("ErrorCode")[0]) == (["failed", "created", "created"], "api-not-found")
    api.judge = None
    assert (await bench.run(rows_at(1001, 1002, 1003))).statuses == ["exists"] * 3
    assert len(api.stored()) == len(set(api.stored()))


@pytest.mark.parametrize(("may_list", "statuses"), [(True, ["created", "created"]), (False, ["exists", "created"])])
async def test_the_id_of_a_results_file_counts_where_nothing_can_be_listed(tmp_path, may_list, statuses):
    """Else the server decides."""
    ran = await Bench(tmp_path, FakeApi(may_list=may_list)).run([Row(1001, known_id=77), Row(1002)])
    assert ran.statuses == statuses
    assert may_list or ran.ids[0] == 77


# The fewest requests


@pytest.mark.parametrize(
    ("there", "wanted", "requests"),
    [(0, 40, 1), (450, 1, 1), (1400, 40, 3), (3000, 2, 3), (600, 300, 2)],
)
async def test_what_is_there_is_found_with_the_fewest_requests(tmp_path, there, wanted, requests):
    """A search for each location, or every page, whichever the first page's total says is less."""
    api = FakeApi()
    for number in range(there):
        api.add(5000 + number, 6, Row.url)
    ran = await Bench(tmp_path, api).run(rows_at(*range(1001, 1001 + wanted)), limit=0)
    assert set(ran.statuses) == {"pending"}
    assert api.count("GET") == requests


async def test_pages_smaller_than_asked_for_are_all_read(tmp_path):
    """The server gives 25 at a time: it is gone by what came."""
    api = FakeApi(page_size=25)
    for number in range(1001, 1121):
        api.add(number, 6, Row.url)
    ran = await Bench(tmp_path, api).run(rows_at(*range(1001, 1121)))
    assert (ran.statuses, api.count("GET")) == (["exists"] * 120, 5)


# Replaces


async def test_a_move_keeps_the_webhook_and_all_its_fields(tmp_path):
    """The webhook at the old URL gets the new one: ``updated``, the same id, nothing cleared."""
    api = FakeApi()
    moved = api.add(1001, 6, OLD, Description="front accounts", Active=False)
    ran = await Bench(tmp_path, api).run([Row(url=NEW, replaces=OLD)])
    assert (ran.statuses, ran.ids, ran.told("Changes")) == (["updated"], [moved], [f"URL: {OLD} -> {NEW}"])
    assert {**api.webhooks[moved]} == {
        "Id": moved, "BusinessId": 1001, "Action": 6, "URL": NEW, "Name": "theirs",
        "Description": "front accounts", "Active": False, "ErrorCount": 0,
    }  # fmt: skip
    again = await Bench(tmp_path, api).run([Row(url=NEW, replaces=OLD)])
    assert (again.statuses, again.ids, api.count("PUT")) == (["exists"], [moved], 1)


async def test_with_nothing_to_move_the_new_one_is_created(tmp_path):
    """No webhook at the old URL: one at the new."""
    api = FakeApi()
    ran = await Bench(tmp_path, api).run([Row(url=NEW, replaces=OLD)])
    assert (ran.statuses, api.stored()) == (["created"], [(1001, 6, NEW)])


@pytest.mark.parametrize("if_exists", ["skip", "update"])
async def test_a_move_onto_what_is_there_fails_and_changes_nothing(tmp_path, if_exists):
    """Both are there: ``failed``, ``already-exists``."""
    api = FakeApi()
    api.add(1001, 6, OLD)
    api.add(1001, 6, NEW)
    ran = await Bench(tmp_path, api, if_exists=if_exists).run([Row(url=NEW, replaces=OLD, active=0)])
    assert (ran.statuses, ran.told("ErrorCode")) == (["failed"], ["already-exists"])
    assert (api.count("PUT"), api.stored()) == (0, [(1001, 6, NEW), (1001, 6, OLD)])


async def test_a_move_in_doubt_is_read_again_by_id(tmp_path):
    """The PUT got there: ``updated``, sent once; undo and prune know its new URL."""
    api = FakeApi()
    bench = Bench(tmp_path, api)
    await bench.run([Row(url=OLD)])
    api.next_writes.append(drop_after)
    ran = await bench.run([Row(url=NEW, replaces=OLD)])
    assert (ran.statuses, api.count("PUT"), api.stored()) == (["updated"], 1, [(1001, 6, NEW)])
    assert (await bench.run(rows_at(1002), prune=True)).statuses == ["created", "deleted"]


# Prune


async def test_prune_deletes_only_what_this_tool_made_and_the_input_no_longer_names(tmp_path):
    """Theirs stays; what still has a row stays, also where that row is a duplicate."""
    api = FakeApi()
    theirs = api.add(1009, 6, Row.url)
    bench = Bench(tmp_path, api)
    await bench.run(rows_at(1001, 1002, 1003))
    rows = [Row(1001), Row(1001, status="duplicate"), Row(1004)]
    ran = await bench.run(rows, prune=True)
    assert ran.statuses == ["exists", "duplicate", "created", "deleted", "deleted"]
    assert [location for location, *_ in api.stored()] == [1001, 1004, 1009]
    assert theirs in api.webhooks
    assert (await bench.run(rows, prune=True)).plan.deletions == 0


async def test_prune_waits_until_every_row_can_be_read(tmp_path):
    """Nobody knows what an invalid row names: nothing is deleted, in any account, and that is said."""
    one, two = FakeApi(), FakeApi()
    bench = Bench(tmp_path, {"one": one, "two": two}, prune=True)
    rows = [*rows_at(1001, 1002, account="one"), *rows_at(1001, 1002, account="two")]
    await bench.run(rows)
    ran = await bench.run([rows[0], rows[2], Row(0, 0, status="invalid", account="one")])
    assert (ran.plan.deletions, len(one.webhooks), len(two.webhooks)) == (0, 2, 2)
    assert any("--prune" in str(warning) for warning in ran.plan.warnings)


async def test_a_move_is_not_pruned(tmp_path):
    """What gets a new URL is the input's, under its old URL as well."""
    api = FakeApi()
    bench = Bench(tmp_path, api)
    await bench.run([Row(url=OLD)])
    ran = await bench.run([Row(url=NEW, replaces=OLD)], prune=True)
    assert (ran.statuses, ran.plan.deletions) == (["updated"], 0)


async def test_prune_takes_what_arrived_after_its_run_had_ended(tmp_path):
    """A send in doubt that did arrive, and whose row is gone from the input, is ours as well."""
    api = FakeApi([drop_after])
    bench = Bench(tmp_path, api)
    first = await bench.run(rows_at(1001), limit=1, max_runtime=5)
    assert (first.statuses, first.told("ErrorCode")) == (["pending"], ["in-doubt"])
    ran = await bench.run(rows_at(1002), prune=True)
    assert ran.statuses == ["created", "deleted"]
    assert api.stored() == [(1002, 6, Row.url)]


async def test_a_doubt_comes_with_the_results_file(tmp_path):
    """Also where the journal is another: looked up where that is permitted, else left unknown until it is told."""
    rows = [Row(1001, known_doubt=True)]
    api = FakeApi(may_list=False)
    ran = await Bench(tmp_path, api).run(rows)
    assert (ran.statuses, api.count("POST")) == (["unknown"], 0)
    ran = await Bench(tmp_path, api).run(rows, resend_unknown=True)
    assert (ran.statuses, api.count("POST")) == (["created"], 1)
    api = FakeApi()
    ran = await Bench(tmp_path / "other", api).run(rows)
    assert (ran.statuses, api.count("POST")) == (["created"], 1)
    assert [at >= 30 for at, method, *_ in api.log if method == "POST"] == [True]


async def test_a_plan_leaves_out_what_prune_would_leave_alone(tmp_path):
    """What was changed or deleted since is no change that a run would make."""
    api = FakeApi()
    bench = Bench(tmp_path, api)
    ran = await bench.run(rows_at(1001, 1002, 1003))
    api.webhooks[ran.ids[1]]["URL"] = "https://theirs.example/"
    del api.webhooks[ran.ids[2]]
    plan, found = await bench.plan(rows_at(1001), prune=True)
    assert (found.writes, plan.deletions) == (0, 0)
    assert sorted(plan.pruned["default"].left["status"].tolist()) == ["changed", "missing"]


async def test_what_prune_leaves_alone_is_no_deletion_of_a_run_either(tmp_path):
    """A row at the end says where it is now, in each run; what is gone is asked for once only."""
    api = FakeApi()
    bench = Bench(tmp_path, api)
    ran = await bench.run(rows_at(1001, 1002, 1003))
    api.webhooks[ran.ids[1]]["URL"] = "https://theirs.example/"
    del api.webhooks[ran.ids[2]]
    ran = await bench.run(rows_at(1001), prune=True)
    assert (sorted(ran.statuses), ran.plan.deletions, ran.plan.writes) == (["changed", "exists", "missing"], 0, 0)
    assert any("left alone: it is now https://theirs.example/" in (error or "") for error in ran.told("Error"))
    assert (await bench.run(rows_at(1001), prune=True)).statuses == ["exists", "changed"]
    assert api.count("DELETE") == 0


async def test_reading_ends_where_prune_would_delete_too_much(tmp_path):
    """Nothing is sent then, so nobody needs to know of every webhook what became of it."""
    api = FakeApi()
    bench = Bench(tmp_path, api, concurrency=1)
    await bench.run(rows_at(*range(1001, 1021)))
    before = api.count("GET")
    plan, _ = await bench.plan(rows_at(1001), max_deletes=3, prune=True)
    assert plan.deletions == 19
    assert api.count("GET") - before <= 6


async def test_what_of_ours_is_gone_is_read_by_id_once(tmp_path):
    """Its row waits to be made again, and the old id is not asked for in a later run."""
    api = FakeApi()
    bench = Bench(tmp_path, api)
    ran = await bench.run(rows_at(1001))
    del api.webhooks[ran.ids[0]]
    first = await bench.run(rows_at(1001), limit=0)
    assert (first.statuses, first.plan.gone["default"]) == (["pending"], ran.ids)
    again = await bench.run(rows_at(1001))
    assert (again.statuses, again.plan.gone["default"]) == (["created"], [])
