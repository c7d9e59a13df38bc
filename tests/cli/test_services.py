"""Mailboxes and services are told through apprise: a real mail server, a real webhook, and a service that hangs."""

from __future__ import annotations

import email
import email.policy
import json
import socket
import time
from contextlib import contextmanager

import pytest

from bulkhooks.cli.services import NO_ADDRESS, WORDS, notify_services
from tests.processes import bulkhooks
from tests.receiver import receiving

pytest.importorskip("apprise")
controller = pytest.importorskip("aiosmtpd.controller")

SHEET = "BusinessId,Action,URL\n1001,BookingCreate,https://example.com/hooks?key=hush\n1002,x,ftp://u:hush@z\n"


class _Mailbox:
    def __init__(self):
        self.got = []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.got.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 OK"


@contextmanager
def _mail_server():
    """An SMTP server on a free port: its mailbox, and the address of it that apprise knows."""
    mailbox = _Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = controller.Controller(mailbox, hostname="127.0.0.1", port=port)
    server.start()
    try:
        yield mailbox, f"mailto://127.0.0.1:{port}?from=jobs@example.com&to=ops@example.com&mode=insecure&name=hush"
    finally:
        server.stop()


@contextmanager
def _silent():
    """A server that takes a connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_failed_run_is_mailed_with_its_workbook_and_posted(tmp_path):
    """[notify] apprise_env with a mailbox and a webhook, attach = true; the addresses are nowhere in what is left."""
    (tmp_path / "hooks.csv").write_text(SHEET)
    (tmp_path / "nightly.toml").write_text(
        '[job]\ninput = "hooks.csv"\nlog_file = "log"\n[notify]\napprise_env = "PEOPLE"\nattach = true\n'
    )
    with _mail_server() as (mailbox, address), receiving() as receiver:
        hook = receiver.url.replace("http://", "json://") + "?+X-Key=hush"
        done = bulkhooks("run", "--job", "nightly.toml", "--sandbox", cwd=tmp_path, PEOPLE=f"{address}\n{hook}")
        _, content = receiver.got.get(timeout=20)
    assert done.returncode == 1, done.stderr
    assert (tmp_path / "log").read_text().count("warning: [notify]") == 0, (tmp_path / "log").read_text()
    ((recipients, mail),) = mailbox.got
    assert recipients == ["ops@example.com"]
    assert "bulkhooks nightly: failures (exit 1), 1 created, 1 invalid" in mail["Subject"]
    text = mail.get_body(("plain", "html")).get_content()
    assert "hooks.sandbox.results.xlsx" in text
    (attached,) = mail.iter_attachments()
    assert attached.get_filename() == "hooks.sandbox.results.xlsx"
    assert attached.get_content() == (tmp_path / "hooks.sandbox.results.xlsx").read_bytes()
    message = json.loads(content)
    assert message["title"] == "bulkhooks nightly: failures (exit 1), 1 created, 1 invalid"
    assert message["type"] == "failure"
    assert [one["filename"] for one in message["attachments"]] == ["hooks.sandbox.results.xlsx"]
    assert "hush" not in json.dumps(message) + text
    assert "hush" not in (tmp_path / "log").read_text() + done.stdout + done.stderr


def test_a_service_that_hangs_ends_at_the_deadline_and_the_others_are_told():
    """Also where a library waits for as long as it likes; which one it was is known by its place."""
    with _silent() as port, receiving() as receiver:
        hook = receiver.url.replace("http://", "json://")
        began = time.monotonic()
        hanging = f"mailto://127.0.0.1:{port}?from=a@example.com&to=b@example.com&mode=insecure"
        told = notify_services([hanging, hook, "no-address:hush"], "title", "body", failed=True, timeout=15)
        assert time.monotonic() - began < 60
    assert told == ["it did not answer within 15 s", "", WORDS[NO_ADDRESS]]


@pytest.mark.parametrize("value", ["", "json://127.0.0.1:9/hush", "hush://x"])
def test_whatever_is_wrong_with_it_the_exit_code_stands(value, tmp_path):
    """Not set, nobody there, no address: a warning that names the variable."""
    (tmp_path / "hooks.csv").write_text(SHEET)
    (tmp_path / "job.toml").write_text('[job]\ninput = "hooks.csv"\n[notify]\napprise_env = "PEOPLE"\n')
    done = bulkhooks("run", "--job", "job.toml", "--sandbox", cwd=tmp_path, PEOPLE=value)
    assert done.returncode == 1
    assert "warning: [notify]: " in done.stderr
    assert "PEOPLE" in done.stderr
    assert "hush" not in done.stderr
