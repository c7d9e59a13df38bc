"""``bulkhooks serve``: listen, say where, and go on until Ctrl-C."""

from __future__ import annotations

import dataclasses
import errno
import http.client
import ipaddress
import json
import os
import secrets
import shutil
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import platformdirs
import uvicorn

from bulkhooks.commands.history import finished
from bulkhooks.config.job import Job
from bulkhooks.errors import BulkhooksError, UsageError
from bulkhooks.private import make_folders, make_private
from bulkhooks.sandbox.server import Sandbox, SandboxError, SandboxOptions
from bulkhooks.web.app import application
from bulkhooks.web.drafts import Drafts
from bulkhooks.web.guard import FRESH, Door, Guard, Proxy
from bulkhooks.web.page import Page
from bulkhooks.web.people import People
from bulkhooks.web.works import Works

Say = Callable[[str], None]


def serve(job: Job, options: Mapping[str, Any], *, say: Say, remark: Say) -> None:
    """Serve the page until SIGINT or SIGTERM. ``say`` gets the address once it answers, ``remark`` what goes on.

    Where the same user serves at this port already, ``say`` gets a fresh address of that one. Raises ``UsageError``
    where the options do not go together or the port is taken by something else.
    """
    proxy = _proxy(options)
    bind, port = str(options["bind"]), int(options["port"])
    state = _state_folder()
    listening = _listen(bind, port)
    if listening is None:
        other = _of_the_other(state, port)
        if other is None:
            raise UsageError(f"port {port} is taken by another program; end that, or choose another with --port")
        _announce(other, options, say)
        return
    with listening, ExitStack() as stack:
        port = listening.getsockname()[1]
        folder = state / str(port)
        make_folders(folder)
        works, drafts, people = Works(), Drafts(folder / ("rehearsal-files" if job.sandbox else "files")), People()
        job = stack.enter_context(_rehearsing(job, folder / "rehearsal", drafts)) if job.sandbox else job
        drafts.load(lambda run_id: _is_finished(job, run_id))
        door = _door(options, port, proxy)
        page = Page(job, drafts, works, is_shared=proxy is not None)

        def address() -> str:
            return (
                str(options["public_url"]) if proxy is not None else f"http://127.0.0.1:{port}/?key={people.new_key()}"
            )

        server = _Server(Guard(application(page), people, door, address))
        note = folder / "serve.json"
        stack.callback(note.unlink, missing_ok=True)
        make_private(note)
        note.write_text(json.dumps({"secret": door.secret, "host": min(door.hosts), "bind": bind}), encoding="utf-8")

        def started() -> None:
            _announce(address(), options, say)
            remark("The page is there as long as this runs; Ctrl-C ends it.")

        server.serve_until_stopped(listening, started)
        if works.under_way("run", "undo", "health", "reactivate"):
            remark("Stopping: what is in flight is finished, the rest stays pending.")
        works.end()
        drafts.close()


def _is_finished(job: Job, run_id: str) -> bool:
    summary = finished(job, run_id)
    return summary is not None and not summary.remaining


@contextmanager
def _rehearsing(job: Job, folder: Path, drafts: Drafts) -> Iterator[Job]:
    """The job with one sandbox for as long as the server runs.

    What is there stays only where a run is not finished: then it goes on, also after a server that was killed.
    """
    port_file, state, journal = folder / "port", folder / "webhooks", folder / "journal.db"
    job = dataclasses.replace(job, journal=journal)
    drafts.load(lambda run_id: _is_finished(job, run_id))
    make_folders(folder)
    with ExitStack() as stack:
        try:
            if drafts.is_empty:
                raise SandboxError
            sandbox = stack.enter_context(Sandbox(SandboxOptions(state=state), port=int(port_file.read_text())))
        except (SandboxError, OSError, ValueError):
            shutil.rmtree(folder)
            make_folders(folder)
            sandbox = stack.enter_context(Sandbox(SandboxOptions(state=state)))
            port_file.write_text(str(urlsplit(sandbox.base_url).port))
        yield dataclasses.replace(job, rehearsal=sandbox)
    if drafts.is_empty:
        shutil.rmtree(folder, ignore_errors=True)


def _proxy(options: Mapping[str, Any]) -> Proxy | None:
    """The sign-in in front of the page. Raises ``UsageError`` where its options do not go together."""
    if not options["behind_proxy"]:
        for name in ("public_url", "proxy_address"):
            if options[name]:
                raise UsageError(f"--{name.replace('_', '-')} is for a page behind a sign-in: give --behind-proxy too")
        if options["bind"] != "127.0.0.1":
            raise UsageError(
                f"--bind {options['bind']}: without --behind-proxy the page listens on loopback only; leave --bind out"
            )
        return None
    url = urlsplit(str(options["public_url"] or ""))
    try:
        is_address = url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        is_address = False
    if not is_address or url.path not in {"", "/"} or url.query or url.fragment or "@" in url.netloc:
        given = f"--public-url {options['public_url']!r}" if options["public_url"] else "--behind-proxy"
        raise UsageError(
            f"{given}: say with --public-url where people find the page, such as https://hooks.example.com"
        )
    try:
        address = str(ipaddress.ip_address(str(options["proxy_address"] or "")))
    except ValueError:
        given = f"--proxy-address {options['proxy_address']!r}" if options["proxy_address"] else "--behind-proxy"
        raise UsageError(f"{given}: say with --proxy-address from which IP address the proxy asks") from None
    header = str(options["user_header"])
    if not header or not all(letter.isalnum() or letter in "-_" for letter in header) or not header.isascii():
        raise UsageError(f"--user-header {header!r} is no name of a header, such as X-Forwarded-User")
    return Proxy(address, header)


def _door(options: Mapping[str, Any], port: int, proxy: Proxy | None) -> Door:
    secret = secrets.token_urlsafe(32)
    if proxy is None:
        hosts = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})
        return Door(hosts, "http", f"bulkhooks-{port}", secret)
    url = urlsplit(str(options["public_url"]))
    standard = {"http": 80, "https": 443}[url.scheme]
    host = f"[{url.hostname}]" if ":" in str(url.hostname) else str(url.hostname)
    named = {f"{host}:{url.port or standard}"}
    if (url.port or standard) == standard:
        named.add(host)
    return Door(frozenset(named), url.scheme, "", secret, proxy)


def _state_folder() -> Path:
    return platformdirs.user_state_path("bulkhooks") / "page"


def _listen(bind: str, port: int) -> socket.socket | None:
    """A socket that listens there; None where the port is taken. Raises ``UsageError`` where it cannot be."""
    try:
        address = ipaddress.ip_address(bind)
    except ValueError:
        raise UsageError(f"--bind {bind!r} is no IP address") from None
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((bind, port))
        listening.listen(128)
    except (OSError, OverflowError) as error:
        listening.close()
        if isinstance(error, OSError) and error.errno in {errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", -1)}:
            return None
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"the page cannot listen on {bind} port {port}: {reason}; choose another with --port"
        ) from None
    return listening


def _of_the_other(state: Path, port: int) -> str | None:
    """A fresh address of the same user's server at this port; None where there is none."""
    try:
        note = json.loads((state / str(port) / "serve.json").read_text(encoding="utf-8"))
        connection = http.client.HTTPConnection(str(note["bind"]), port, timeout=10)
        try:
            headers = {"Host": str(note["host"]), "Authorization": f"Bearer {note['secret']}"}
            connection.request("POST", FRESH, headers=headers)
            answer = connection.getresponse()
            found = json.loads(answer.read(100_000))
        finally:
            connection.close()
        return str(found["address"]) if answer.status == 200 else None
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return None


def _announce(address: str, options: Mapping[str, Any], say: Say) -> None:
    say(address)
    if not options["no_open"] and not options["behind_proxy"] and _has_screen():
        with suppress(webbrowser.Error):
            webbrowser.open(address)


def _has_screen() -> bool:
    """Whether a browser has a window, and would not take over the terminal."""
    return sys.platform in {"win32", "darwin"} or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class _Server(uvicorn.Server):
    """uvicorn on a socket that listens already, until a signal comes."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(
            uvicorn.Config(
                guard,
                http="h11",
                loop="asyncio",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                date_header=False,
                proxy_headers=False,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=2,
                limit_concurrency=200,
            )
        )

    def serve_until_stopped(self, listening: socket.socket, started: Callable[[], None]) -> None:
        """Serve in a thread, and wait in this one for the first signal. A second one ends the process at once."""
        stop = threading.Event()

        def end(number: int, frame: FrameType | None) -> None:
            del frame
            if stop.is_set():
                os._exit(128 + number)
            stop.set()

        for number in (signal.SIGINT, signal.SIGTERM):  # for good: after this nothing but the end follows
            signal.signal(number, end)
        thread = threading.Thread(target=self.run, args=([listening],), name="page", daemon=True)
        try:
            thread.start()
            while not self.started and thread.is_alive():
                thread.join(0.02)
            if not self.started:
                raise BulkhooksError("the page did not start: its server ended at once")
            started()
            while thread.is_alive() and not stop.wait(0.5):
                pass
        finally:
            self.should_exit = True
            thread.join(10)
