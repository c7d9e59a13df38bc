"""The table of failures, row by row, and what becomes of a webhook in doubt."""

from __future__ import annotations

import pytest

from tests.provision.fake import (
    PAGE_OF_A_PROXY,
    Bench,
    FakeApi,
    Row,
    done_but,
    drop_after,
    drop_before,
    later,
    refuse_connection,
    rows_at,
    status,
    time_out_after,
)

pytestmark = pytest.mark.usefixtures("on_both_kinds")

IN_DOUBT = {
    "hung up before": drop_before,
    "hung up after": drop_after,
    "no answer in time": time_out_after,
    "500 and nothing done": status(500),
    "500 and done": done_but(500),
    "502 of a proxy": done_but(502, "<html>Bad gateway</html>"),
    "503 that names no time": done_but(503),
    "200 that cannot be read": done_but(200, "{"),
    "200 without an id": done_but(200, '{"WasSuccessful": true, "Value": null}'),
    "a web page instead": PAGE_OF_A_PROXY,
}


@pytest.mark.parametrize("fate", IN_DOUBT.values(), ids=IN_DOUBT)
async def test_a_create_in_doubt_is_looked_up_and_there_once(tmp_path, fate):
    """Whatever hides the answer, the row ends ``created`` with an id, and the server has it once."""
    api = FakeApi([fate])
    ran = await Bench(tmp_path, api).run([Row()])
    assert ran.statuses == ["created"]
    assert ran.ids == list(api.webhooks)
    assert len(api.webhooks) == 1


async def test_what_is_found_is_verified_and_not_sent_again(tmp_path):
    """A look-up that finds it settles the row: one POST, ``Verified`` yes."""
    api = FakeApi([drop_after])
    ran = await Bench(tmp_path, api).run([Row()])
    assert (ran.told("Verified"), ran.told("Attempts"), api.count("POST")) == (["yes"], [1], 1)


async def test_what_is_not_found_is_sent_once_more(tmp_path):
    """Sent again only after a look-up, ``--settle`` seconds after the failure; as long after that comes another look,
    for the first send may have arrived as well."""
    api = FakeApi([drop_before])
    ran = await Bench(tmp_path, api, settle=30).run([Row()])
    kinds = [(method, round(at)) for at, method, *_ in api.log]
    assert kinds == [("GET", 0), ("POST", 0), ("GET", 30), ("POST", 30), ("GET", 60)]
    assert (ran.told("Verified"), ran.told("Attempts")) == ([None], [2])


async def test_what_arrives_late_is_not_made_twice(tmp_path):
    """A request that the server carries out while it settles is found."""
    api = FakeApi([later(29)])
    ran = await Bench(tmp_path, api, settle=30).run([Row()])
    assert (ran.statuses, len(api.webhooks), api.count("POST")) == (["created"], 1, 1)


async def test_a_look_up_waits_without_holding_the_others(tmp_path):
    """Rows in doubt settle while the rest of the queue is sent."""
    api = FakeApi([drop_after])
    await Bench(tmp_path, api, concurrency=1).run(rows_at(*range(1001, 1021)))
    assert [round(at) for at, method, *_ in api.log if method == "POST"] == [0] * 20


async def test_attempts_used_up_is_failed_in_doubt(tmp_path):
    """``--retries`` counts sends beyond the first; the next run looks before it sends."""
    api = FakeApi([drop_before] * 3)
    bench = Bench(tmp_path, api, retries=2)
    ran = await bench.run([Row()])
    assert (ran.statuses, ran.told("ErrorCode"), api.count("POST")) == (["failed"], ["in-doubt"], 3)
    again = await bench.run([Row()])
    assert (again.statuses, api.count("POST"), len(api.webhooks)) == (["created"], 4, 1)
    assert [method for _, method, *_ in api.log[-4:]] == ["GET", "GET", "POST", "GET"]


async def test_a_look_up_that_always_fails_ends(tmp_path):
    """Where only the look-ups of one row fail, its attempts are used up, and the run comes to an end."""
    api = FakeApi([drop_after], judge=lambda request: status(500) if "WebHook_Action" in str(request.url) else None)
    ran = await Bench(tmp_path, api, retries=1, rate=["20/min"]).run([Row(1001), *rows_at(*range(1002, 1300))])
    assert ran.statuses == ["failed"] + ["created"] * 298
    assert ran.told("ErrorCode")[0] == "in-doubt"


async def test_without_listing_in_doubt_is_unknown_until_told_to_resend(tmp_path):
    """Nobody can look: ``unknown`` in this run and the next ones, until ``--resend-unknown``."""
    api = FakeApi([drop_before], may_list=False)
    bench = Bench(tmp_path, api)
    for _ in range(2):
        ran = await bench.run([Row()])
        assert (ran.statuses, ran.told("ErrorCode"), api.count("POST")) == (["unknown"], ["in-doubt"], 1)
        assert "--resend-unknown" in ran.told("Error")[0]
    ran = await bench.run([Row()], resend_unknown=True)
    assert (ran.statuses, len(api.webhooks)) == (["created"], 1)
    assert (await bench.run([Row()])).statuses == ["exists"]


async def test_unknown_is_settled_once_listing_is_permitted(tmp_path):
    """A later run that may list finds it; as nobody saw what was there before, it is not taken for ours."""
    api = FakeApi([drop_after], may_list=False)
    bench = Bench(tmp_path, api)
    assert (await bench.run([Row()])).statuses == ["unknown"]
    api.may_list = True
    assert (await bench.run([Row()])).statuses == ["exists"]
    pruned = await bench.run([Row(1002)], prune=True)
    assert (pruned.plan.deletions, api.stored()[0][0]) == (0, 1001)


async def test_unknown_and_not_there_is_sent_once_listing_is_permitted(tmp_path):
    """What a later run does not find, it looks up again and then sends."""
    api = FakeApi([drop_before], may_list=False)
    bench = Bench(tmp_path, api)
    await bench.run([Row()])
    api.may_list = True
    ran = await bench.run([Row()])
    assert (ran.statuses, len(api.webhooks)) == (["created"], 1)
    assert ran.seconds >= 30


FINAL = {
    "400": (status(400, '{"Message": "x", "Errors": [{"PropertyName": "Name", "Message": "is a required field"}]}'),
            "api-validation", "Name: is a required field"),
    "200 that says no": (status(200, '{"WasSuccessful": false, "Message": "URL: is not valid"}'),
                         "api-validation", "URL: is not valid"),
    "404": (status(404), "api-not-found", "404"),
    "409 without Retry-After": (status(409), "api-conflict", "409"),
    "302": (status(302, Location="https://elsewhere.example.com/?secret=1"), "api-error", "elsewhere.example.com"),
}  # fmt: skip


@pytest.mark.parametrize(("fate", "code", "sentence"), FINAL.values(), ids=FINAL)
async def test_a_final_answer_fails_its_row_at_once(tmp_path, fate, code, sentence):
    """Sent once, ``failed`` with the API's own words, and the others go on."""
    api = FakeApi([fate])
    ran = await Bench(tmp_path, api, concurrency=1).run(rows_at(1001, 1002))
    assert ran.statuses == ["failed", "created"]
    assert ran.told("ErrorCode") == [code, None]
    assert sentence in ran.told("Error")[0]
    assert "secret" not in ran.told("Error")[0]
    assert api.count("POST") == 2


async def test_no_connection_is_sent_again_without_a_look_up(tmp_path):
    """What never left needs no look-up and no settling."""
    api = FakeApi([refuse_connection] * 2)
    ran = await Bench(tmp_path, api).run([Row()])
    assert (ran.statuses, api.count("GET"), len(api.webhooks)) == (["created"], 1, 1)


async def test_one_row_that_never_connects_fails_while_others_are_answered(tmp_path):
    """Its attempts are used up, for the API is there for everybody else."""
    api = FakeApi(
        judge=lambda request: refuse_connection if b'"BusinessId": 1001' in request.content else None, latency=0.1
    )
    ran = await Bench(tmp_path, api, retries=2, rate=["20/min"]).run(rows_at(1002, 1001, *range(1003, 1250)))
    assert (ran.statuses[1], ran.told("ErrorCode")[1]) == ("failed", "not-sent")
    assert ran.statuses.count("created") == 248


# Changes


async def test_a_change_in_doubt_that_got_there_is_updated(tmp_path):
    """GET by id tells that the PUT got there: ``updated``, and not sent again."""
    api = FakeApi([drop_after])
    api.add(1001, 6, Row.url, Active=False)
    ran = await Bench(tmp_path, api, if_exists="update").run([Row(active=1)])
    assert (ran.statuses, ran.told("Changes"), ran.told("Verified")) == (
        ["updated"],
        ["Active: false -> true"],
        ["yes"],
    )
    assert api.count("PUT") == 1


async def test_a_change_in_doubt_that_did_not_get_there_is_sent_again(tmp_path):
    """It may be: a PUT twice is the same as once."""
    api = FakeApi([drop_before])
    api.add(1001, 6, Row.url, Active=False)
    ran = await Bench(tmp_path, api, if_exists="update").run([Row(active=1)])
    assert (ran.statuses, api.count("PUT"), api.webhooks[101]["Active"]) == (["updated"], 2, True)


@pytest.mark.parametrize(("fate", "times"), [(drop_after, 1), (drop_before, 2)], ids=["done", "not done"])
async def test_a_deletion_in_doubt_ends_deleted(tmp_path, fate, times):
    """GET by id tells whether it has to be sent again."""
    api = FakeApi()
    bench = Bench(tmp_path, api)
    await bench.run(rows_at(1001, 1002))
    api.next_writes.append(fate)
    ran = await bench.run(rows_at(1002), prune=True)
    assert ran.statuses == ["exists", "deleted"]
    assert (api.count("DELETE"), api.stored()[0][0], len(api.webhooks)) == (times, 1002, 1)


async def test_a_change_keeps_what_the_sheet_does_not_give(tmp_path):
    """The full record is read first, for a search leaves the description out."""
    api = FakeApi()
    api.add(1001, 6, Row.url, Description="for the front accounts", Name="theirs", Active=False)
    ran = await Bench(tmp_path, api, if_exists="update").run([Row(active=1)])
    assert ran.statuses == ["updated"]
    assert api.webhooks[101] | {"Active": False} == {
        "Id": 101, "BusinessId": 1001, "Action": 6, "URL": Row.url, "Name": "theirs",
        "Description": "for the front accounts", "Active": False, "ErrorCount": 0,
    }  # fmt: skip
    assert ran.told("Description") == ["for the front accounts"]


async def test_a_description_that_is_the_same_changes_nothing(tmp_path):
    """Only the full record tells; then the row is ``exists`` and no PUT is sent."""
    api = FakeApi()
    api.add(1001, 6, Row.url, Description="same")
    ran = await Bench(tmp_path, api, if_exists="update").run([Row(description="same")])
    assert (ran.statuses, api.count("PUT")) == (["exists"], 0)


async def test_what_has_changed_is_not_deleted(tmp_path):
    """A webhook of ours that now has another URL is left alone: ``changed``."""
    api = FakeApi()
    bench = Bench(tmp_path, api)
    await bench.run(rows_at(1001, 1002))
    api.webhooks[101]["URL"] = "https://hooks.example.com/theirs"
    ran = await bench.run(rows_at(1002), prune=True)
    assert ran.statuses == ["exists", "changed"]
    assert 101 in api.webhooks
