"""The server of the page: what is open while it is there, and how it ends."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import os
import secrets
import shutil
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

import uvicorn

from bulkhooks.commands.history import finished
from bulkhooks.config.job import Job
from bulkhooks.errors import BulkhooksError
from bulkhooks.private import make_folders, make_private
from bulkhooks.sandbox.server import Sandbox, SandboxError, SandboxOptions
from bulkhooks.web.app import application
from bulkhooks.web.drafts import Drafts
from bulkhooks.web.guard import Door, Guard, Proxy
from bulkhooks.web.page import Page
from bulkhooks.web.people import People
from bulkhooks.web.serve import where
from bulkhooks.web.works import Works


def serve_on(
    listening: socket.socket,
    job: Job,
    options: Mapping[str, Any],
    state: Path,
    *,
    announce: Callable[[str], None],
    remark: Callable[[str], None],
) -> None:
    """Serve until SIGINT or SIGTERM; ``announce`` gets the address once it answers, ``remark`` what goes on."""
    proxy = None
    if options["behind_proxy"]:
        proxy = Proxy(str(ipaddress.ip_address(str(options["proxy_address"]))), str(options["user_header"]))
    bind = str(options["bind"])
    with ExitStack() as stack:
        port = listening.getsockname()[1]
        folder = state / str(port)
        make_folders(folder)
        sends_to = where(job)
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
        told = {"secret": door.secret, "host": min(door.hosts), "bind": bind, "where": sends_to}
        note.write_text(json.dumps(told), encoding="utf-8")

        def started() -> None:
            announce(address())
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
        yield dataclasses.replace(job, rehearsal=sandbox, base_url=sandbox.base_url)
    if drafts.is_empty:
        shutil.rmtree(folder, ignore_errors=True)


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
