"""Who is told how a run went, what they are told, and that telling them changes nothing."""

from __future__ import annotations

import http.server
import json
import logging
import os
import re
import signal
import uuid
from contextlib import contextmanager

import pytest

from bulkhooks.cli import notify
from bulkhooks.config.job import Job, Notify
from bulkhooks.errors import InputError, LockedError
from bulkhooks.report import ErrorCount, Report, Summary
from tests.processes import bulkhooks
from tests.receiver import at_work

SHEET = "BusinessId,Action,URL\n1001,BookingCreate,https://example.com/hooks\n"
OK = Summary("r-1", counts={"exists": 2}, total=2)
NEW = Summary("r-1", counts={"created": 1, "exists": 2}, total=3)
FAILED = Summary(
    "r-1", "failures", {"created": 3, "failed": 1}, 4, errors=[ErrorCount("api-error", 1, "Hooks!C7: it is down")]
)
LATER = Summary("r-1", "incomplete", {"pending": 5}, 5, remaining=5, resume_at="2026-11-26T02:00:00Z")


def attended(job, work):
    """The run is called r-1."""
    return notify.attended(job, work, "r-1")


class _Place(http.server.ThreadingHTTPServer):
    """Takes every request, and keeps its path and what was in it."""

    daemon_threads = True

    def __init__(self, status):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.got = []
        self.before_answering = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        content = self.rfile.read(int(self.headers["Content-Length"] or 0))
        is_json = self.headers["Content-Type"] == "application/json"
        self.server.got.append((self.path, json.loads(content) if is_json else content.decode()))
        if self.server.before_answering:
            self.server.before_answering.pop(0)()
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@contextmanager
def _place(status=200):
    with at_work(_Place(status)) as place:
        yield place


@pytest.fixture
def place():
    """A place that is told."""
    with _place() as place:
        yield place


def _job(url, on="failure", **more):
    environment = {"HOOK": f"{url}/services/T0/hush", "PING": f"{url}/hush"}
    return Job(name="nightly", notify=Notify("HOOK", on, "PING"), environment=environment, **more)


def _paths(place):
    """Where something arrived, the run of a ping left out."""
    return [re.sub(r"[?&]rid=[^&]*$", "", path) for path, _ in place.got]


def _messages(place):
    return [content for path, content in place.got if path == "/services/T0/hush"]


def test_success_pings_start_and_success(place):
    """A dead man's switch is told of the start, then by the bare address that all is well; nobody else hears of it."""
    report = Report(OK)
    assert attended(_job(place.url), lambda: report) is report
    assert _paths(place) == ["/hush/start", "/hush"]


def test_failure_pings_its_exit_code_and_posts_the_summary(place):
    """Every exit code but 0 is a failure: the switch is told, and the summary is POSTed with a text for people."""
    attended(_job(place.url), lambda: Report(FAILED))
    assert _paths(place) == ["/hush/start", "/hush/1", "/services/T0/hush"]
    (message,) = _messages(place)
    assert message == {
        **FAILED.as_dict(),
        "job": "nightly",
        "text": "bulkhooks nightly: failures (exit 1), 3 created, 1 failed: Hooks!C7: it is down",
    }


def test_what_is_left_over_says_when_it_goes_on(place):
    """Exit code 4 is told too, with the moment from which the limits let the job go on."""
    attended(_job(place.url), lambda: Report(LATER))
    (message,) = _messages(place)
    assert message["text"] == "bulkhooks nightly: incomplete (exit 4), 5 pending, goes on from 2026-11-26T02:00:00Z"


@pytest.mark.parametrize(
    ("on", "summary", "told"),
    [
        ("failure", OK, 0), ("failure", NEW, 0), ("failure", FAILED, 1),
        ("change", OK, 0), ("change", NEW, 1), ("change", FAILED, 1),
        ("always", OK, 1), ("always", NEW, 1), ("always", FAILED, 1),
    ],
)  # fmt: skip
def test_when_the_summary_is_posted(on, summary, told, place):
    """On failure, on change as well, or always."""
    attended(_job(place.url, on), lambda: Report(summary))
    assert len(_messages(place)) == told


@pytest.mark.parametrize("error", [InputError("hooks.xlsx: this is no workbook"), LockedError("run r-0 holds it")])
def test_an_error_is_told_and_goes_on_its_way(error, place):
    """What ends a command before there is a report is told like a failed run, and is still raised."""

    def work():
        raise error

    with pytest.raises(type(error)) as raised:
        attended(_job(place.url), work)
    assert raised.value is error
    assert _paths(place)[1] == f"/hush/{error.exit_code}"
    (message,) = _messages(place)
    assert message["exit_code"] == error.exit_code
    assert str(error) in message["text"]


def test_a_mistake_of_this_program_is_told_without_its_details(place):
    """Nobody knows what the message of an unexpected exception holds, so its kind has to do."""

    def work():
        raise KeyError("hush")

    with pytest.raises(KeyError):
        attended(_job(place.url), work)
    (message,) = _messages(place)
    assert (message["status"], message["exit_code"]) == ("incomplete", 4)
    assert "KeyError" in message["text"]
    assert "hush" not in json.dumps(message)


def test_being_stopped_is_a_failure_for_the_switch(place):
    """Ctrl-C before there is a report: the switch is told, and the interrupt goes on its way."""

    def work():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attended(_job(place.url), work)
    assert _paths(place) == ["/hush/start", "/hush/fail"]


def test_a_ping_has_the_run_and_a_body(place):
    """The same UUID at the start and the end, made from the run's id; in the body what happened, and where."""
    error = ErrorCount("bad-url", 2, "Hooks!C7: 'https://user:hush@example.com/in?key=hush' is wrong")
    attended(
        _job(place.url), lambda: Report(Summary("", "failures", {"invalid": 2}, 2, errors=[error], outputs=["r.xlsx"]))
    )
    (start, began), (end, text) = place.got[:2]
    assert (
        start.partition("rid=")[2] == end.partition("rid=")[2] == str(uuid.uuid5(uuid.NAMESPACE_URL, "bulkhooks:r-1"))
    )
    assert began == "run r-1 started"
    assert text.splitlines() == [
        "bulkhooks nightly: failures (exit 1), 2 invalid",
        "2 x bad-url: Hooks!C7: 'https://example.com/in' is wrong",
        "Results: r.xlsx",
        "Run: r-1",
    ]


def test_a_signal_while_others_are_told_changes_nothing(place, caplog):
    """The run is over: whoever has not been told by then is not, and the report is the run's own."""
    report = Report(FAILED)
    place.before_answering = [lambda: None, lambda: os.kill(os.getpid(), signal.SIGINT)]
    assert attended(_job(place.url), lambda: report) is report
    assert "[notify]: stopped by a signal, so not everybody is told" in _log(caplog)


def test_a_query_of_the_switch_stays_at_its_end(place):
    """The signal belongs to the path: URL/start?create=1."""
    job = Job(notify=Notify(ping_env="PING"), environment={"PING": f"{place.url}/key/slug/?create=1"})
    attended(job, lambda: Report(FAILED))
    assert _paths(place) == ["/key/slug/start?create=1", "/key/slug/1?create=1"]


def test_urls_in_a_message_lose_what_may_be_secret(place):
    """The sentences of a summary may quote URLs of webhooks; outside they are without user and query."""
    error = ErrorCount("bad-url", 1, "Hooks!C7: 'https://user:hush@example.com/in?key=hush' is wrong")
    attended(_job(place.url), lambda: Report(Summary("r", "failures", {"invalid": 1}, 1, errors=[error])))
    (message,) = _messages(place)
    assert "hush" not in json.dumps(message)
    assert message["errors"][0]["example"] == "Hooks!C7: 'https://example.com/in' is wrong"


def _log(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_an_address_that_refuses_is_a_warning(caplog):
    """The warning names the variable and the answer, never the address; the report is the run's own."""
    report = Report(FAILED)
    with _place(500) as place:
        assert attended(_job(place.url), lambda: report) is report
    assert set(_log(caplog)) == {
        "[notify]: the address in PING could not be told: it answers 500",
        "[notify]: the address in HOOK could not be told: it answers 500",
    }


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9", "no address hush", "http://[hush", "http://127.0.0.1:hush", "//x"]
)
def test_whatever_is_wrong_with_an_address_is_a_warning(url, caplog):
    """Nothing there, or no address at all: the run ends as it would have."""
    report = Report(OK)
    assert attended(_job(url, "always"), lambda: report) is report
    assert len(_log(caplog)) == 3
    assert "hush" not in caplog.text


def test_a_variable_that_is_not_set_is_a_warning(caplog):
    """It is named, and the run goes on."""
    report = Report(FAILED)
    assert attended(Job(notify=Notify(url_env="HOOK"), environment={"X": ""}), lambda: report) is report
    assert _log(caplog) == ["[notify]: the variable HOOK is not set, so nobody is told"]


def test_a_job_without_notify_tells_nobody():
    """No address, no request, no warning."""
    report = Report(FAILED)
    assert attended(Job(), lambda: report) is report


def test_a_real_run_tells_and_keeps_its_secrets(tmp_path, place):
    """From the command line: start, success and summary arrive; addresses are in no output and no file it leaves."""
    (tmp_path / "hooks.csv").write_text(SHEET)
    job = tmp_path / "nightly.toml"
    job.write_text(
        '[job]\ninput = "hooks.csv"\nlog_file = "log"\nverbose = 2\njournal = "j.db"\nmetrics_file = "m.prom"\n'
    )
    job.write_text(job.read_text() + '[notify]\nurl_env = "HOOK"\non = "always"\nping_env = "PING"\n')
    environment = {"HOOK": f"{place.url}/services/T0/hush", "PING": f"{place.url}/hush"}
    done = bulkhooks("run", "--job", job, "--sandbox", "--json", cwd=tmp_path, **environment)
    assert done.returncode == 0, done.stderr
    assert _paths(place) == ["/hush/start", "/hush", "/services/T0/hush"]
    (message,) = _messages(place)
    assert json.loads(done.stdout) == {key: message[key] for key in message if key not in {"job", "text"}}
    place.status = 503
    done = bulkhooks("run", "--job", job, "--sandbox", cwd=tmp_path, **environment)
    assert done.returncode == 0
    assert "PING could not be told: it answers 503" in (tmp_path / "log").read_text()
    left = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"hush" not in left + done.stdout.encode() + done.stderr.encode()


@pytest.mark.parametrize(("content", "code"), [("BusinessId,Action,URL\nx,Booking,ftp\n", 1), ("no table", 2)])
def test_an_address_out_of_reach_changes_no_exit_code(content, code, tmp_path):
    """With nobody there to be told, the exit code is the run's own."""
    (tmp_path / "hooks.csv").write_text(content)
    (tmp_path / "job.toml").write_text('[job]\ninput = "hooks.csv"\n[notify]\nurl_env = "HOOK"\nping_env = "HOOK"\n')
    done = bulkhooks("run", "--job", "job.toml", "--sandbox", cwd=tmp_path, HOOK="http://127.0.0.1:9/hush")
    assert done.returncode == code
    assert "could not be told" in done.stderr
    assert "hush" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SSL_CERT_FILE", "/nowhere/missing.pem", "SSL_CERT_FILE names /nowhere/missing.pem"),
        ("HTTPS_PROXY", "gopher://u:hush@p", "HTTPS_PROXY names a proxy that cannot be used"),
        ("HTTPS_PROXY", "http://u:hush@127.0.0.1:9", "no connection to the proxy that HTTPS_PROXY names"),
    ],
)
def test_why_nobody_can_be_told_is_a_sentence(name, value, sentence, caplog, monkeypatch):
    """What the environment names wrongly is said as it is for the API, and the run ends as it has."""
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)
    monkeypatch.setenv(name, value)
    report = Report(OK)
    assert attended(_job("https://hooks.example.com", "always"), lambda: report) is report
    assert len(_log(caplog)) == 3
    assert all(sentence in message and "hush" not in message for message in _log(caplog))
