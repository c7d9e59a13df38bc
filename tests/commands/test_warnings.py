"""Warnings with their codes: the column Warning, the sheet Problems, and ``warnings`` of the summary."""

from __future__ import annotations

import httpx
from openpyxl import load_workbook

from bulkhooks import Job, check, plan, run
from bulkhooks.commands.health import health
from bulkhooks.commands.history import results_again
from bulkhooks.sandbox.options import SandboxOptions
from bulkhooks.sandbox.server import Sandbox

HEADER = "BusinessId,Action,URL\n"


def job(tmp_path, server, rows, **more):
    """A job without limits on a sheet with these rows, with its journal in the test's folder."""
    path = tmp_path / "hooks.csv"
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    environment = {"NEXUDUS_TOKEN": server.token, "NEXUDUS_BASE_URL": server.base_url}
    settings = {"output": tmp_path / "out.xlsx", "journal": tmp_path / "journal.db", "rate": "none"}
    return Job(**{"input": path, "request_rate": "none", "environment": environment, **settings, **more})


def told(report):
    return [(count.code, count.count) for count in report.summary.warnings]


def problems(path):
    """Code and count of each line of the sheet Problems."""
    rows = load_workbook(path)["Problems"].iter_rows(min_row=2, values_only=True)
    return [(row[1], row[0]) for row in rows if row[1]]


def test_a_warning_of_a_row_is_in_its_column_in_problems_and_in_the_summary(tmp_path):
    """However many webhooks a row makes, the summary counts what stands in the input, the sheet the rows."""
    with Sandbox() as server:
        made = job(
            tmp_path, server, ["1001,BookingCreate;BookingUpdate,http://a.example/x", "1002,6,https://b.example/"]
        )
        ran = run(made)
        again = results_again(Job(journal=made.journal, output=tmp_path / "again.xlsx"))
    assert (ran.exit_code, told(ran)) == (0, [("insecure-url", 1)])
    assert ran.summary.as_dict()["warnings"][0]["example"].startswith("hooks.csv:2 URL: ")
    warnings = ran.results["Warning"].tolist()
    assert [text and text.partition(":")[0] for text in warnings] == ["insecure-url", "insecure-url", None]
    assert problems(tmp_path / "out.xlsx") == [("insecure-url", 2)]
    assert told(again) == told(ran)
    assert problems(tmp_path / "again.xlsx") == problems(tmp_path / "out.xlsx")


def test_check_and_plan_count_warnings_as_a_run_does(tmp_path):
    with Sandbox() as server:
        found = job(tmp_path, server, ["1001,6;7,http://a.example/x", "1002,None,https://b.example/"])
        assert told(check(found)) == told(plan(found)) == [("insecure-url", 1), ("never-fires", 1)]


def twice(server, business_id, url):
    """Two webhooks of one location, event and URL; returns their ids."""
    body = {"BusinessId": business_id, "Name": "x", "Action": 6, "URL": url}
    headers = {"Authorization": f"Bearer {server.token}"}
    answers = [httpx.post(f"{server.base_url}/api/sys/webhooks", json=body, headers=headers) for _ in range(2)]
    return [answer.json()["Value"]["Id"] for answer in answers]


def test_twins_are_a_warning_of_their_row(tmp_path):
    """It names the ids, in the row as well as in the summary."""
    with Sandbox() as server:
        ids = twice(server, 1001, "https://a.example/x")
        ran = run(job(tmp_path, server, ["1001,6,https://a.example/x", "1001,7,https://a.example/x"]))
    assert told(ran) == [("twin", 1)]
    first, second = ran.results["Warning"].tolist()
    assert first.startswith("twin: ")
    assert all(str(number) in first for number in ids)
    assert second is None
    assert problems(tmp_path / "out.xlsx") == [("twin", 1)]


def test_a_warning_of_the_whole_run_is_in_problems_without_a_row(tmp_path):
    """Who may not list is told so, under the code not-listed."""
    with Sandbox(SandboxOptions(role="create-only")) as server:
        ran = run(job(tmp_path, server, ["1001,6,https://a.example/x"]))
    assert (ran.counts, told(ran)) == ({"created": 1}, [("not-listed", 1)])
    assert problems(tmp_path / "out.xlsx") == [("not-listed", 1)]


def test_health_has_twins_among_its_warnings(tmp_path):
    with Sandbox() as server:
        twice(server, 1001, "https://a.example/x")
        found = health(job(tmp_path, server, ["1001,6,https://a.example/x"], input=[]))
    assert told(found) == [("twin", 1)]


def test_a_record_in_another_encoding_is_a_warning_of_its_row(tmp_path):
    """Each of several that are not UTF-8, and no other row; Problems and the summary count them."""
    with Sandbox() as server:
        made = job(tmp_path, server, [])
        rows = [f"{1001 + number},6,https://a.example/x,Zürich\n".encode() for number in range(6)]
        rows[2], rows[4] = (row.decode().encode("cp1252") for row in (rows[2], rows[4]))
        (tmp_path / "hooks.csv").write_bytes(b"BusinessId,Action,URL,Name\n" + b"".join(rows))
        ran = run(made)
    assert told(ran) == [("legacy-encoding", 2)]
    assert set(ran.results["Name"]) == {"Zürich"}
    warned = [text is not None and text.startswith("legacy-encoding: ") for text in ran.results["Warning"]]
    assert warned == [False, False, True, False, True, False]
    assert problems(tmp_path / "out.xlsx") == [("legacy-encoding", 2)]
