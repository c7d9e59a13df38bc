"""``health --reactivate`` against an API that does not let everything be switched on."""

from __future__ import annotations

import csv
import http.server
import json
from contextlib import contextmanager

import pytest

from tests.processes import UNLIMITED, bulkhooks
from tests.receiver import at_work


class Api(http.server.ThreadingHTTPServer):
    """Webhooks of several locations, all disabled by failures; ``refused`` are those that may not be changed."""

    daemon_threads = True

    def __init__(self, count, refused):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.refused = refused
        self.puts = 0
        self.webhooks = {
            number: {
                "Id": number, "BusinessId": 1000 + number, "Action": 6, "URL": f"https://h.example.com/{number}",
                "Name": "theirs", "Active": False, "ErrorCount": 10, "LastError": "500",
            }
            for number in range(1, count + 1)
        }  # fmt: skip


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path.partition("?")[0]
        number = path.rpartition("/")[2]
        if number.isdigit():
            self._answer(200, self.server.webhooks[int(number)])
        else:
            records = list(self.server.webhooks.values()) if path.endswith("webhooks") else []
            self._answer(200, {"Records": records, "TotalItems": len(records), "TotalPages": 1, "HasNextPage": False})

    def do_PUT(self):
        record = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.puts += 1
        if record["Id"] in self.server.refused:
            self._answer(401, {"Message": "Authorization has been denied for this request."})
            return
        self.server.webhooks[record["Id"]] = {**record, "ErrorCount": 0}
        self._answer(200, {"Status": 200, "Value": {"Id": record["Id"]}, "WasSuccessful": True})

    def _answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextmanager
def serving(count, refused):
    with at_work(Api(count, refused)) as api:
        yield api


def reactivated(api, folder):
    """What ``health --reactivate`` ends with: exit code, summary, what it says, and its sheet's Health by id."""
    ended = bulkhooks(
        "health", "--reactivate", "--yes", "--json", "-o", "health.csv", "--journal", "journal.db", *UNLIMITED,
        "--concurrency", "1", "--base-url", f"http://127.0.0.1:{api.server_address[1]}", "--no-progress",
        cwd=folder, NEXUDUS_TOKEN="token-of-tests",
    )  # fmt: skip
    with (folder / "health.csv").open(encoding="utf-8-sig", newline="") as text:
        states = {int(row["WebhookId"]): row["Health"] for row in csv.DictReader(text)}
    return ended.returncode, json.loads(ended.stdout), ended.stderr, states


def test_a_refused_change_ends_with_3_and_the_sheet_of_what_is_known(tmp_path):
    """The first PUT is refused: no other is sent, and the sheet has every webhook as it was."""
    with serving(4, {1, 2, 3, 4}) as api:
        code, summary, said, states = reactivated(api, tmp_path)
        assert (code, summary["status"], api.puts) == (3, "auth-error", 1)
    assert summary["counts"] == {"disabled": 4}
    assert states == dict.fromkeys((1, 2, 3, 4), "disabled")
    assert "the first write was refused" in said


def test_what_was_switched_on_before_the_end_is_told(tmp_path):
    """Three locations refused in a row end it; the one before them is on."""
    with serving(6, {2, 3, 4}) as api:
        code, summary, _, states = reactivated(api, tmp_path)
        assert (code, api.puts, summary["remaining"]) == (3, 4, 2)
    assert states == {1: "never fired", **dict.fromkeys(range(2, 7), "disabled")}


@pytest.mark.parametrize(("refused", "code"), [(set(), 0), ({2}, 1)])
def test_one_that_may_not_be_changed_leaves_the_others_changed(tmp_path, refused, code):
    """The exit code is that of the state afterwards, and what was refused is told with the reason."""
    with serving(3, refused) as api:
        ended, summary, said, states = reactivated(api, tmp_path)
    assert (ended, summary["remaining"]) == (code, 0)
    assert {number for number, state in states.items() if state == "disabled"} == refused
    assert ("1 not switched on (api-auth): " in said) == bool(refused)


def test_the_results_of_switching_on_can_be_had_from_the_journal(tmp_path):
    """It is a run like any other."""
    with serving(2, {1}) as api:
        reactivated(api, tmp_path)
    ended = bulkhooks("results", "--run", "last", "-o", "again.csv", "--journal", "journal.db", cwd=tmp_path)
    assert ended.returncode == 3, ended.stderr
    with (tmp_path / "again.csv").open(encoding="utf-8-sig", newline="") as text:
        assert [row["Status"] for row in csv.DictReader(text)] == ["failed", "pending"]
