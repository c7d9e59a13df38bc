"""Who is let in, and who is not."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress

import httpx
import pytest

from bulkhooks.web.app import ROUTES
from tests.processes import PROGRAM, bulkhooks
from tests.web.server import PATIENCE, plan, send, serving, text_of, until, upload

PLACES = [
    (method, re.sub(r"\{\w+\}", "0123456789abcdef", route.path))
    for route in ROUTES
    if getattr(route, "methods", None)
    for method in sorted(route.methods - {"HEAD"})
]
"""Every address of the page."""


@pytest.mark.parametrize(("method", "place"), [*PLACES, ("GET", "/static/page.js"), ("POST", "/fresh")])
def test_without_a_cookie_and_with_a_wrong_host_or_origin_nothing_is_given(rehearsal, person, method, place):
    bare = httpx.Client(base_url=rehearsal.base, timeout=PATIENCE)
    assert bare.request(method, place).status_code == 403
    assert bare.request(method, place, headers={"Cookie": "a[]={}; =; ;;bulkhooks"}).status_code == 403
    assert bare.request(method, place, headers={"Cookie": f"bulkhooks-{rehearsal.port}=no"}).status_code == 403
    for headers in (
        {"Host": "hooks.example.com"},
        {"Host": f"127.0.0.1.example.com:{rehearsal.port}"},
        {"Host": "127.0.0.1"},
        {"Origin": "https://hooks.example.com"},
        {"Origin": "null"},
        {"Origin": f"https://127.0.0.1:{rehearsal.port}"},
        {"Origin": f"http://localhost:{rehearsal.port}"},
    ):
        assert person.request(method, place, headers=headers).status_code == 403, headers
    if method == "POST":
        assert person.request(method, place, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_the_address_lets_one_in_once_and_the_cookie_is_for_this_page_alone(rehearsal):
    address = rehearsal.fresh()
    first = httpx.get(address)
    assert first.status_code == 303
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie
    assert first.headers["location"] == "/"
    second = httpx.get(address)
    assert second.status_code == 403
    assert "used already" in text_of(second)
    assert httpx.get(f"{rehearsal.base}/?key=guessed").status_code == 403


def test_every_answer_has_a_strict_policy_and_no_page_has_a_script_or_style_of_its_own(person):
    for place in ("/", "/runs", "/health", "/template", "/events", "/looks.css", "/static/page.js", "/nothing"):
        answer = person.get(place)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        if answer.headers["content-type"].startswith("text/html"):
            assert not re.search(
                r"<style|style=|\son\w+=|<script(?! src=)|https?://(?!127\.0\.0\.1|hooks)", answer.text
            )


def test_serve_where_it_serves_already_prints_a_fresh_address(rehearsal):
    one, other = rehearsal.again(), rehearsal.again()
    assert one != other
    assert one.startswith(f"http://127.0.0.1:{rehearsal.port}/")
    assert httpx.get(one, follow_redirects=False).status_code == 303


def test_serve_where_another_page_serves_already_says_which(rehearsal):
    """Whoever types no --sandbox does not take a rehearsal for the live server."""
    assert rehearsal.asked("--sandbox").stderr == ""
    done = rehearsal.asked()
    assert "what serves there already is of REHEARSAL" in done.stderr
    assert done.stdout.startswith(f"http://127.0.0.1:{rehearsal.port}/")


def test_a_port_that_something_else_has_is_one_sentence(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = bulkhooks("serve", "--no-open", "--port", port, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        f"bulkhooks: port {port} is taken by another program; end that, or choose another with --port"
    ]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--bind", "0.0.0.0"], "--bind 0.0.0.0: without --behind-proxy"),
        (["--public-url", "https://hooks.example.com"], "--public-url is for a page behind a sign-in"),
        (["--behind-proxy"], "--behind-proxy: say with --public-url where people find the page"),
        (["--behind-proxy", "--public-url", "hooks"], "--public-url 'hooks': say with --public-url"),
        (["--behind-proxy", "--public-url", "https://hooks.example.com"], "say with --proxy-address"),
        (
            [
                "--behind-proxy",
                "--public-url",
                "https://h.example.com",
                "--proxy-address",
                "::1",
                "--user-header",
                "a b",
            ],
            "--user-header 'a b' is no name of a header",
        ),
        (["--port", "99999"], "port 99999"),
    ],
)
def test_options_that_do_not_go_together_are_one_sentence(tmp_path, words, sentence):
    done = bulkhooks("serve", "--no-open", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_ctrl_c_ends_it_cleanly(tmp_path):
    with serving(tmp_path, "--sandbox") as served:
        upload(served.person(), "hooks.csv", b"BusinessId,Action,URL\n1001,6,https://a.example\n")
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(PATIENCE) == 0
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert "hooks.csv" not in left
    assert "serve.json" not in left


@contextmanager
def behind_proxy(state, address):
    """A page behind a sign-in that asks from this address, and its port: the one that it prints is the sign-in's."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ("--behind-proxy", "--public-url", "https://hooks.example.com", "--proxy-address", address, "--sandbox")
    with serving(state, *options, port=port) as served:
        yield served, port


def test_behind_a_sign_in_the_header_of_the_proxy_alone_counts(tmp_path):
    with behind_proxy(tmp_path, "127.0.0.1") as (served, port):
        assert served.address == "https://hooks.example.com"
        right = {"Host": "hooks.example.com", "X-Forwarded-User": "ann@example.com"}
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE)
        assert "ann@example.com" in client.get("/", headers=right).text
        assert client.get("/", headers={**right, "Origin": "https://hooks.example.com"}).status_code == 200
        for wrong in (
            {"X-Forwarded-User": "ann@example.com"},
            {"Host": "hooks.example.com"},
            {**right, "X-Forwarded-User": ""},
            {**right, "Host": "hooks.example.com:8443"},
            {**right, "Origin": "http://hooks.example.com"},
        ):
            assert client.get("/", headers=wrong).status_code == 403, wrong
        twice = [("Host", "hooks.example.com"), ("X-Forwarded-User", "ann"), ("X-Forwarded-User", "bob")]
        assert client.get("/", headers=twice).status_code == 403
        sheet = client.post(
            "/sheets", headers=right, files={"file": ("a.csv", b"BusinessId,Action,URL\n1001,6,https://a.example\n")}
        ).headers["location"]
        assert client.get(sheet, headers=right).status_code == 200
        assert client.get(sheet, headers={**right, "X-Forwarded-User": "bob"}).status_code == 404
        client.headers.update(right)
        client.follow_redirects = True
        assert "1 to create" in text_of(plan(client, sheet))
        run = send(client, sheet)
        done = until(client, run, "Download the results")
        assert "by ann@example.com" in text_of(done)
        journal = next(tmp_path.rglob("journal.db"))
        (found,) = json.loads(bulkhooks("runs", "--json", "--journal", journal, cwd=tmp_path).stdout)
        assert found["user"] == "ann@example.com"
        assert "1 created" in text_of(client.get(run, headers={"X-Forwarded-User": "bob"}))


def test_a_request_from_another_address_than_the_proxys_is_refused(tmp_path):
    with behind_proxy(tmp_path, "127.0.0.2") as (_, port):
        right = {"Host": "hooks.example.com", "X-Forwarded-User": "ann"}
        assert httpx.get(f"http://127.0.0.1:{port}/", headers=right).status_code == 403


def test_without_its_packages_the_page_is_one_sentence(tmp_path):
    code = (
        "import sys; sys.modules['jinja2'] = None; sys.argv[1:] = ['serve', '--port', '0']; import bulkhooks.__main__"
    )
    done = subprocess.run(
        [PROGRAM[0], "-c", f"{code} as m; m.main()"],
        cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "bulkhooks: the page needs the package jinja2: pip install 'bulkhooks[web]'\n"


def test_a_form_that_is_too_large_is_refused_before_it_is_read(rehearsal, person):
    cookie = f"bulkhooks-{rehearsal.port}={person.cookies[f'bulkhooks-{rehearsal.port}']}"
    head = f"POST /token HTTP/1.1\r\nHost: 127.0.0.1:{rehearsal.port}\r\nCookie: {cookie}\r\n"
    with socket.create_connection(("127.0.0.1", rehearsal.port)) as raw:
        raw.settimeout(PATIENCE)
        raw.sendall(f"{head}Content-Length: 900000000\r\n\r\n".encode())
        assert raw.recv(100).startswith(b"HTTP/1.1 413 ")
    with socket.create_connection(("127.0.0.1", rehearsal.port)) as raw:
        raw.settimeout(PATIENCE)
        kind = "Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
        raw.sendall((head + kind).encode())
        piece = b"10000\r\n" + b"a" * 65_536 + b"\r\n"
        answer = b""
        with suppress(OSError):
            for _ in range(40):
                raw.sendall(piece)
                time.sleep(0.01)
        with suppress(OSError):
            answer = raw.recv(100)
        assert b"200" not in answer[:20]
