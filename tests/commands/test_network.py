"""The network that people have, taken by every command: proxies, SOCKS, authorities that are not there, few sockets.

Hosts end with ``.test``, which no name server knows: what arrives has come through the proxy of the test.
"""

from __future__ import annotations

import http.server
import json
import os
import socket
import socketserver
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest

from tests.processes import PROGRAM, UNLIMITED, bulkhooks, start
from tests.receiver import at_work

OPTIONS = (
    "--base-url", "http://api.test", "--allow-http", "--journal", "journal.db", "-o", "out.csv", *UNLIMITED,
    "--give-up-after", "0.1", "--settle", "0.1", "--no-progress",
)  # fmt: skip
JOB = '[job]\ninput = ["hooks.csv"]\n[notify]\nurl_env = "TELL"\non = "always"\n'
BARE = {
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE"), ""),
    "NEXUDUS_TOKEN": "token-of-tests",
    "TELL": "http://tell.test/in",
}


class _Handler(http.server.BaseHTTPRequestHandler):
    """The API, an endpoint, somebody who is notified, and a proxy before them: whatever is asked is answered."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self._answer({"Records": [], "TotalItems": 0, "TotalPages": 1, "HasNextPage": False})

    def do_HEAD(self):
        self._answer(None)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer({"Status": 200, "Value": {"Id": 77}, "WasSuccessful": True})

    def _answer(self, content):
        self.server.asked.add((self.command, self.headers["Host"]))
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class _Socks(socketserver.StreamRequestHandler):
    """SOCKS 5 without sign-in (RFC 1928): every name leads to the same server."""

    def handle(self):
        _, methods = self.rfile.read(2)
        self.rfile.read(methods)
        self.wfile.write(b"\5\0")
        *_, kind = self.rfile.read(4)
        assert kind == 3, "a name, not an address: the proxy looks it up"
        self.server.names.add(self.rfile.read(self.rfile.read(1)[0]).decode())
        self.rfile.read(2)
        self.wfile.write(b"\5\0\0\1" + bytes(6))
        with socket.create_connection(self.server.behind) as there:
            back = threading.Thread(target=_pass_on, args=(there, self.connection))
            back.start()
            while piece := self.rfile.read1():
                there.sendall(piece)
            there.shutdown(socket.SHUT_WR)
            back.join()


def _pass_on(one, other):
    while piece := one.recv(65_536):
        other.sendall(piece)


@contextmanager
def serving(kind, handler, **facts):
    server = kind(("127.0.0.1", 0), handler)
    vars(server).update(facts)
    with at_work(server):
        yield server


@pytest.fixture
def server():
    with serving(http.server.ThreadingHTTPServer, _Handler, asked=set()) as server:
        yield server


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "hooks.csv").write_text("BusinessId,Action,URL\n1001,BookingCreate,http://hooks.test/in\n")
    (tmp_path / "job.toml").write_text(JOB)
    return tmp_path


def run_and_probe(folder, **environment):
    """A run that tells somebody, then a check that probes."""
    ran = bulkhooks("run", "--job", "job.toml", *OPTIONS, cwd=folder, **{**BARE, **environment})
    probed = bulkhooks("check", "hooks.csv", "--probe", cwd=folder, **{**BARE, **environment})
    assert "Traceback" not in ran.stderr + probed.stderr
    return ran, probed


EVERYBODY = {("GET", "api.test"), ("POST", "api.test"), ("POST", "tell.test"), ("HEAD", "hooks.test")}


@pytest.mark.parametrize("no_proxy", ["", "localhost,127.0.0.0/8,::1/128", "other.test, .example.com:80"])
def test_everything_that_is_sent_goes_through_the_proxy(folder, server, no_proxy):
    """The API, those who are notified and the endpoints that are probed, whatever else NO_PROXY exempts."""
    ran, probed = run_and_probe(folder, HTTP_PROXY=f"127.0.0.1:{server.server_port}", NO_PROXY=no_proxy)
    assert (ran.returncode, probed.returncode) == (0, 0), ran.stderr + probed.stderr
    assert server.asked == EVERYBODY
    assert "could not be told" not in ran.stderr


def test_everything_goes_through_a_socks_proxy(folder, server):
    """Which is given the names, and looks them up."""
    pytest.importorskip("socksio")
    with serving(socketserver.ThreadingTCPServer, _Socks, names=set(), behind=server.server_address) as proxy:
        ran, probed = run_and_probe(folder, ALL_PROXY=f"socks5://127.0.0.1:{proxy.server_address[1]}")
        assert (ran.returncode, probed.returncode) == (0, 0), ran.stderr + probed.stderr
        assert proxy.names == {host for _, host in EVERYBODY}
    assert server.asked == EVERYBODY


@pytest.mark.parametrize("value", ["http://proxy:port", "http://", "socks9://127.0.0.1:1", "http://[::1"])
def test_a_proxy_that_cannot_be_one_is_named_by_its_variable(folder, value):
    """Exit 2, and nothing was sent; a check tells it as a warning of its row or ends likewise."""
    ran, probed = run_and_probe(folder, HTTP_PROXY=value)
    assert ran.returncode == 2, ran.stderr
    for done in (ran, probed):
        assert "HTTP_PROXY" in done.stdout + done.stderr
    assert "[notify]" in ran.stderr


def test_without_the_extra_a_socks_proxy_is_a_sentence_that_names_it(folder):
    """It names the variable and what to install."""
    (folder / "socksio.py").write_text("raise ImportError\n")  # the folder of a program is looked into first
    for words in (["run", "hooks.csv", *OPTIONS], ["check", "hooks.csv", "--probe"]):
        done = subprocess.run(
            [*PROGRAM, *words],
            cwd=folder,
            env={**os.environ, **BARE, "ALL_PROXY": "socks5://127.0.0.1:1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "ALL_PROXY" in done.stdout + done.stderr
        assert "bulkhooks[socks]" in done.stdout + done.stderr
    assert not (folder / "out.csv").exists()


def test_a_proxy_that_is_dead_is_told_from_an_api_that_is(folder):
    """The variable is named in both; what was planned stays pending."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    ran, probed = run_and_probe(folder, HTTP_PROXY=f"http://127.0.0.1:{port}")
    assert ran.returncode == 4, ran.stderr
    for done in (ran, probed):
        assert "the proxy that HTTP_PROXY names" in done.stdout + done.stderr
    ran, _ = run_and_probe(folder)
    assert "no connection to the API" in ran.stderr
    assert "proxy" not in ran.stderr


def test_authorities_that_are_not_there_are_named_by_their_variable(folder):
    """By those who cannot be notified, by the endpoint that is probed, and by a run, before anything is sent."""
    (folder / "hooks.csv").write_text("BusinessId,Action,URL\n1001,BookingCreate,https://hooks.test/in\n")
    there = {"SSL_CERT_FILE": "/no/such/file", "TELL": "https://tell.test/in"}
    ran, probed = run_and_probe(folder, **there)
    for done in (ran, probed):
        assert "SSL_CERT_FILE names /no/such/file" in done.stdout + done.stderr
    options = ["https://api.test" if option == "http://api.test" else option for option in OPTIONS]
    ran = bulkhooks("run", "hooks.csv", *options, cwd=folder, **{**BARE, **there})
    assert ran.returncode == 2, ran.stderr
    assert "SSL_CERT_FILE names /no/such/file" in ran.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize("limit", [24, 32])
def test_few_file_descriptors_are_enough(folder, limit):
    """Fewer requests are on their way at once; a rehearsal has both ends of them in one process."""
    import resource

    (folder / "hooks.csv").write_text("BusinessId,Action,URL\n1001-1040,BookingCreate,https://hooks.test/in\n")
    child = start(
        "run", "hooks.csv", "--sandbox", "--concurrency", "64", *UNLIMITED, "--no-progress", cwd=folder,
        limits={resource.RLIMIT_NOFILE: limit},
    )  # fmt: skip
    _, said = child.communicate(timeout=600)
    assert (child.returncode, said) == (0, ""), said[:2000]
