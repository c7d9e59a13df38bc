"""What is told of a command that a signal ends outside of its own watch."""

from __future__ import annotations

import json

import click
import pytest

from bulkhooks.cli.execute import CommandLine, execute
from bulkhooks.commands.run import run
from bulkhooks.errors import UsageError
from bulkhooks.sandbox.server import Sandbox


@pytest.fixture
def flags(tmp_path):
    """Those of a run against a sandbox, with JSON on stdout."""
    (tmp_path / "hooks.csv").write_text("BusinessId,Action,URL\n1001,BookingCreate,https://hooks.example.com/in\n")
    with Sandbox() as far_end:
        yield {
            "base_url": far_end.base_url,
            "journal": str(tmp_path / "journal.db"),
            "output": [str(tmp_path / "out.csv")],
            "rate": ["none"],
            "request_rate": ["none"],
            "json": True,
        }


def outcome(flags, tmp_path, monkeypatch, capsys, work):
    """Exit code and the object on stdout."""
    monkeypatch.setenv("NEXUDUS_TOKEN", Sandbox.token)
    line = CommandLine("run", [str(tmp_path / "hooks.csv")], flags)
    with pytest.raises(click.exceptions.Exit) as ended:
        execute(line, lambda job: work(job, line.run_id))
    return ended.value.exit_code, json.loads(capsys.readouterr().out)


def test_a_run_that_had_ended_is_told_as_it_ended(flags, tmp_path, monkeypatch, capsys):
    """The signal comes between the end of the work and its answer: the journal knows what was done."""

    def work(job, run_id):
        run(job, run_id=run_id)
        raise KeyboardInterrupt

    exit_code, summary = outcome(flags, tmp_path, monkeypatch, capsys, work)
    assert (exit_code, summary["exit_code"], summary["counts"]) == (0, 0, {"created": 1})


def test_a_run_that_had_not_begun_says_so(flags, tmp_path, monkeypatch, capsys):
    """Nothing is in the journal, and the same command begins."""

    def work(job, run_id):
        raise KeyboardInterrupt

    exit_code, summary = outcome(flags, tmp_path, monkeypatch, capsys, work)
    assert (exit_code, summary["exit_code"], summary["counts"]) == (4, 4, {})


def test_a_command_that_broke_off_says_when_and_where_and_for_whom(flags, tmp_path, monkeypatch, capsys):
    """As far as it is known: nothing of a password in the address, and no server where no option was understood."""

    def work(job, run_id):
        raise UsageError("no")

    exit_code, summary = outcome(flags, tmp_path, monkeypatch, capsys, work)
    assert (exit_code, summary["status"], summary["target"]) == (2, "input-error", flags["base_url"])
    assert summary["started_at"].startswith(summary["run_id"][:4])
    assert summary["finished_at"] >= summary["started_at"]
    assert summary["user"]
    for more, target in (({"base_url": "https://me:hush@api.example"}, "https://api.example"), ({"timeout": "x"}, "")):
        _, summary = outcome({**flags, **more}, tmp_path, monkeypatch, capsys, work)
        assert (summary["target"], bool(summary["started_at"])) == (target, True)
