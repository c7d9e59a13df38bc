"""Every command that talks to the API stops on a signal: what is in flight is awaited, and a second one stops it all.

The server holds its answers back until the test lets them go, so nothing here depends on how fast anything is.
"""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from tests.processes import UNLIMITED, bulkhooks, start
from tests.receiver import at_work

COMMANDS = {
    "health": ("health",),
    "check": ("check", "hooks.csv", "--live"),
    "template": ("template", "template.xlsx", "--locations", "live"),
    "plan": ("plan", "hooks.csv"),
    # One request at a time, or others are on their way when the first is seen.
    "undo": ("undo", "--run", "last", "-o", "undo.csv", "--concurrency", "1"),
}
TOKEN = {"NEXUDUS_TOKEN": "token-of-tests"}


class Api(http.server.ThreadingHTTPServer):
    """Webhooks and three locations. While ``answers`` is not set it takes requests, and answers none."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = threading.Event()
        self.answers.set()
        self.asked = threading.Semaphore(0)
        self.webhooks = {}

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path.partition("?")[0]
        number = path.rpartition("/")[2]
        if number.isdigit():
            self._answer(self.server.webhooks[int(number)])
            return
        records = list(self.server.webhooks.values())
        if not path.endswith("webhooks"):
            records = [{"Id": number, "Name": f"Space {number}"} for number in (1001, 1002, 1003)]
        self._answer({"Records": records, "TotalItems": len(records), "TotalPages": 1, "HasNextPage": False})

    def do_POST(self):
        record = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        number = len(self.server.webhooks) + 1
        self.server.webhooks[number] = {**record, "Id": number, "Active": True, "ErrorCount": 0}
        self._answer({"Status": 200, "Value": {"Id": number}, "WasSuccessful": True})

    def _answer(self, content):
        self.server.asked.release()
        self.server.answers.wait()
        body = json.dumps(content).encode()
        try:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:  # whoever asked has been stopped
            self.close_connection = True

    def log_message(self, *args):
        pass


@contextmanager
def serving():
    with at_work(Api()) as api:
        try:
            yield api
        finally:
            api.answers.set()


@contextmanager
def stopped_once(command, folder, number):
    """A command with one request in flight that has had a signal, and has said so; gives it and the server."""
    (folder / "hooks.csv").write_text("BusinessId,Action,URL\n1001-1003,BookingCreate,https://h.example.com/in\n")
    with serving() as api:
        options = ("--base-url", api.address, "--journal", "journal.db", *UNLIMITED, "--timeout", "600", "-v")
        if command == "undo":
            done = bulkhooks("run", "hooks.csv", *options, cwd=folder, **TOKEN)
            assert done.returncode == 0, done.stderr
        while api.asked.acquire(blocking=False):
            pass
        api.answers.clear()
        child = start(*COMMANDS[command], *options, cwd=folder, stdout=subprocess.DEVNULL, **TOKEN)
        assert api.asked.acquire(timeout=120)
        child.send_signal(number)
        said = ""
        while f"stopped by {number.name}" not in said:
            line = child.stderr.readline()
            assert line, f"ended without a word: {child.wait()}"
            said += line
        yield child, api


@pytest.mark.parametrize("command", COMMANDS)
def test_the_first_signal_waits_for_the_answer_and_ends_with_4(tmp_path, command):
    """The request in flight is answered, and no other is sent."""
    with stopped_once(command, tmp_path, signal.SIGTERM) as (child, api):
        assert child.poll() is None
        sent = api.asked._value
        api.answers.set()
        _, said = child.communicate(timeout=120)
        assert child.returncode == 4, said
        assert "Traceback" not in said
        assert api.asked._value == sent


@pytest.mark.parametrize("command", COMMANDS)
def test_the_second_signal_ends_at_once_with_130(tmp_path, command):
    """The answer never comes."""
    with stopped_once(command, tmp_path, signal.SIGINT) as (child, _):
        child.send_signal(signal.SIGTERM)
        _, said = child.communicate(timeout=120)
        assert child.returncode == 130, said
        assert "Traceback" not in said


def test_a_signal_while_the_answer_is_told_changes_no_exit_code(tmp_path):
    """Nobody reads what a check has found, so it waits; its exit code is what it found."""
    rows = "".join(f"{number},NoSuchEvent,https://h.example.com/in\n" for number in range(1001, 5001))
    (tmp_path / "hooks.csv").write_text(f"BusinessId,Action,URL\n{rows}")
    child = start("check", "hooks.csv", cwd=tmp_path, stderr=subprocess.STDOUT)
    assert "4,000 rows are invalid" in child.stdout.readline()
    child.send_signal(signal.SIGTERM)
    said, _ = child.communicate(timeout=120)
    assert child.returncode == 1, said[-500:]
    assert "before anything was sent" not in said
    assert "Traceback" not in said


AT_THE_EVENT_LOOP = """
import signal, sys

def hook(event, arguments):
    if event == "socket.__new__" and sys._getframe(1).f_globals.get("__name__") == "socket" and not struck:
        struck.append(event)
        signal.raise_signal(signal.SIGTERM)

struck = []
sys.addaudithook(hook)
from bulkhooks.__main__ import main
main()
"""


def test_a_signal_while_the_event_loop_is_made_prints_one_sentence(tmp_path):
    """The loop is half made then, and fails when it is put away."""
    (tmp_path / "hooks.csv").write_text("BusinessId,Action,URL\n1001,6,https://hooks.example.com/in\n")
    done = subprocess.run(
        [sys.executable, "-c", AT_THE_EVENT_LOOP, "run", "hooks.csv", "--base-url", "http://127.0.0.1:9"],
        cwd=tmp_path,
        env={**os.environ, **TOKEN},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    assert done.stderr == "bulkhooks: stopped before anything was sent; run the same command again\n"
