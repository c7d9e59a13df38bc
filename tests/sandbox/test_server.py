"""Starting, stopping, and the state that outlives both."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading

import httpx
import pytest

from bulkhooks.sandbox.server import Sandbox, SandboxError, SandboxOptions
from tests.sandbox.conftest import WEBHOOKS, body, create, running, stats, talking_to

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")

SERVE = """
import sys
from pathlib import Path
from bulkhooks.sandbox.server import SandboxOptions, serve
serve(SandboxOptions(state=Path(sys.argv[1])), port=0, announce=lambda url: print(url, flush=True))
"""


def serving(state):
    """A sandbox in a process of its own, and its address."""
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(state)], stdout=subprocess.PIPE, text=True)
    return process, process.stdout.readline().strip()


def test_know_adds_locations_with_names():
    """Locations can become known while the server runs; from then on webhooks can be made for them."""
    with Sandbox() as sandbox, talking_to(sandbox) as client:
        assert client.post(WEBHOOKS, json=body(BusinessId=77)).status_code == 400
        sandbox.know([77, 1001])
        create(client, BusinessId=77)
        found = client.get("/api/sys/businesses", params={"size": 1}).json()
        assert (found["Records"][0]["Id"], found["TotalItems"]) == (77, 41)
        assert found["Records"][0]["Name"]


def test_a_stop_does_not_wait_for_idle_connections():
    """Leaving the context closes connections that are kept alive, and the port answers no more."""
    with Sandbox() as sandbox:
        client = httpx.Client(base_url=sandbox.base_url)
        client.get("/sandbox/stats")
    with pytest.raises(httpx.TransportError):
        client.get("/sandbox/stats")
    client.close()
    assert "sandbox" not in {thread.name for thread in threading.enumerate()}


def test_several_run_side_by_side():
    """Sandboxes share nothing: each has its own port and webhooks."""
    with running() as one, running() as other:
        create(one)
        assert (stats(one)["webhooks"], stats(other)["webhooks"]) == (1, 0)


def test_a_taken_port_is_one_sentence():
    """A port in use is a SandboxError that names it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SandboxError, match=f"port {port}"), Sandbox(port=port):
            pass


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_only_loopback_is_listened_on(host):
    """An address that others could reach is refused."""
    with pytest.raises(SandboxError, match="loopback only"), Sandbox(host=host):
        pass


def test_state_survives(tmp_path):
    """Webhooks, changes, deletions and the next id are there again after a restart, wherever the file is to be."""
    state = tmp_path / "new" / "folder" / "state.jsonl"
    with running(state=state) as client:
        first, second, third = create(client), create(client, Description="Zürich"), create(client)
        assert client.put(WEBHOOKS, json=body(Id=first, Name="New", Active=True)).status_code == 200
        assert client.delete(f"{WEBHOOKS}/{third}").status_code == 200
        before = client.get("/sandbox/webhooks").json()
    with running(state=state, locations=(5,)) as client:
        assert client.get("/sandbox/webhooks").json() == before
        assert [record["Id"] for record in before] == [first, second]
        assert create(client, BusinessId=1001) == third + 1
    with running(state=state) as client:
        assert stats(client)["webhooks"] == 3


def test_state_survives_a_kill(tmp_path):
    """What was answered is there after kill -9; a line that was cut short is not, and does no harm."""
    state = tmp_path / "state.jsonl"
    process, address = serving(state)
    with httpx.Client(base_url=address, headers={"Authorization": "Bearer sandbox-token"}) as client:
        ids = [create(client) for _ in range(50)]
        process.kill()
        process.wait()
    process.stdout.close()
    with state.open("ab") as file:
        file.write(b'{"record": {"Id": 9')
    with running(state=state) as client:
        assert [record["Id"] for record in client.get("/sandbox/webhooks").json()] == ids
        assert create(client) == ids[-1] + 1


@pytest.mark.parametrize("content", [b"Row,URL\n1,x\n", b"{}\n", b"no newline", b"\x00\xff\n"])
def test_a_file_that_is_not_a_state_file_is_left_alone(tmp_path, content):
    """Somebody else's file is refused and keeps every byte."""
    state = tmp_path / "hooks.csv"
    state.write_bytes(content)
    with pytest.raises(SandboxError, match=r"hooks\.csv is not a state file"), Sandbox(SandboxOptions(state=state)):
        pass
    assert state.read_bytes() == content


def test_a_state_file_serves_one_sandbox_at_a_time(tmp_path):
    """A second sandbox on the same state file is refused, and may have it when the first has ended."""
    options = SandboxOptions(state=tmp_path / "state")
    with Sandbox(options), pytest.raises(SandboxError, match="in use"), Sandbox(options):
        pass
    with Sandbox(options):
        pass


def test_a_state_file_that_cannot_be_is_one_sentence(tmp_path):
    """A folder, or a path below a file, is a SandboxError that names it."""
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "state"):
        with pytest.raises(SandboxError, match="state file"), Sandbox(SandboxOptions(state=path)):
            pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_quietly_on_a_signal(tmp_path, number):
    """A signal ends the server with exit code 0, though a client keeps its connection open."""
    process, address = serving(tmp_path / "state")
    with httpx.Client(base_url=address) as client:
        assert client.get("/sandbox/stats").status_code == 200
        os.kill(process.pid, number)
        rest, _ = process.communicate(timeout=600)
    assert (process.returncode, rest) == (0, "")


def test_stats_count_requests_by_kind(client):
    """Every request is counted under its kind; those for the sandbox's own paths are not."""
    id_ = create(client)
    client.get(WEBHOOKS)
    client.get(f"{WEBHOOKS}/{id_}")
    client.put(WEBHOOKS, json=body(Id=id_))
    client.delete(f"{WEBHOOKS}/{id_}")
    client.get("/api/sys/businesses")
    client.post("/api/token")
    client.get("/elsewhere")
    kinds = ("create", "search", "read", "update", "delete", "locations", "token", "other")
    assert stats(client)["requests"] == dict.fromkeys(kinds, 1)
    assert stats(client)["total"] == 8


def test_state_is_readable_lines(tmp_path):
    """Each line of a state file is a JSON object."""
    with running(state=tmp_path / "state") as client:
        create(client)
    for line in (tmp_path / "state").read_text().splitlines():
        assert isinstance(json.loads(line), dict)


def test_a_client_that_goes_away_in_the_middle_of_its_request_is_no_error(caplog):
    """Half a body and then nothing: the sandbox stores nothing, reports nothing and answers the next request."""
    with Sandbox() as sandbox, talking_to(sandbox) as client:
        host, port = sandbox.base_url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as gone:
            head = f"POST {WEBHOOKS} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {sandbox.token}\r\n"
            gone.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
            while not stats(client)["requests"]["create"]:
                pass
        assert create(client) == 1
        assert stats(client)["webhooks"] == 1
    assert not caplog.records
