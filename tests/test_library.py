"""bulkhooks as a library: the names of the page, typed, with and without an event loop."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

import bulkhooks
from bulkhooks import BulkhooksError, CredentialsError, InputError, Job, UsageError, check, plan, run, run_async
from bulkhooks.sandbox.server import Sandbox

UNLIMITED = {"rate": "none", "request_rate": "none"}


@pytest.fixture
def anyio_backend():
    """Real time: a real server answers."""
    return "asyncio"


@pytest.fixture
def sheet(tmp_path):
    path = tmp_path / "hooks.csv"
    path.write_text("BusinessId,Action,URL,Owner\n1001-1003,BookingCreate,https://a.example/x,Ann\n")
    return path


def test_every_name_of_the_page_is_there():
    """What __all__ promises can be had, and nothing of it is loaded before it is asked for."""
    for name in bulkhooks.__all__:
        assert getattr(bulkhooks, name) is not None
    with pytest.raises(AttributeError, match="nothing_like_it"):
        bulkhooks.nothing_like_it  # noqa: B018
    code = "import sys, bulkhooks; sys.exit(any(name in sys.modules for name in ('pandas', 'httpx', 'anyio')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_run_returns_its_report(sheet, tmp_path):
    """Counts, exit code and the results as a frame, also when the sandbox and its journal are gone."""
    report = run(Job(input=sheet, output=tmp_path / "out.csv", sandbox=True, **UNLIMITED))
    assert report.exit_code == 0
    assert report.counts == {"created": 3}
    assert report.results["WebhookId"].tolist() == [1, 2, 3]
    assert report.results["Owner"].tolist() == ["Ann"] * 3
    assert report.summary.outputs == [str(tmp_path / "out.csv")]


def test_results_stand_beside_the_input_where_no_output_is_named(sheet, tmp_path):
    """As they do on the command line."""
    report = run(Job(input=[str(sheet)], sandbox=True, **UNLIMITED))
    assert report.counts == {"created": 3}
    assert report.summary.outputs == [str(tmp_path / "hooks.sandbox.results.xlsx")]


def test_the_address_of_the_environment_is_used(sheet, tmp_path):
    """A job that names none must not go to production."""
    environment = {"NEXUDUS_BASE_URL": "http://127.0.0.1:9", "NEXUDUS_TOKEN": "x"}
    assert Job(input=sheet, environment=environment).base_url == "http://127.0.0.1:9"
    assert Job(input=sheet, environment=environment, base_url="http://127.0.0.1:8").base_url == "http://127.0.0.1:8"
    assert Job(input=sheet, environment={"PATH": ""}).base_url == "https://spaces.nexudus.com"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("if_exists", "nope"),
        ("auth", "digest"),
        ("limit", -1),
        ("concurrency", 0),
        ("timeout", -1),
        ("rate", "fast"),
        ("retries", "many"),
    ],
)
def test_a_value_that_is_none_of_its_option_is_refused(option, value):
    """With the sentence that the command line has for it."""
    with pytest.raises(UsageError, match=option):
        Job(**{option: value})


def test_numbers_may_be_text_and_none_is_the_default():
    """What comes from a configuration is text, or nothing."""
    assert Job(limit="2", rate=None).limit == 2
    assert Job(rate=None).rate == ("60/min", "5000/day")


def test_results_are_read_from_the_journal_when_they_are_asked_for(sheet, tmp_path):
    """And a plan before and after tells the difference."""
    with Sandbox() as sandbox:
        job = Job(
            input=sheet,
            base_url=sandbox.base_url,
            journal=tmp_path / "journal.db",
            environment={"NEXUDUS_TOKEN": sandbox.token},
            **UNLIMITED,
        )
        before = plan(job)
        assert (before.counts, before.forecast.writes) == ({"planned": 3}, 3)
        assert before.results["Status"].tolist() == ["planned"] * 3
        assert run(job).results["Status"].tolist() == ["created"] * 3
        after = plan(job)
        assert (after.counts, after.forecast.writes) == ({"exists": 3}, 0)


def test_check_finds_every_problem(tmp_path):
    """As values, with place, code and sentence."""
    path = tmp_path / "hooks.csv"
    path.write_text("BusinessId,Action,URL\n1001,Bookng,a.example\n")
    report = check(Job(input=path))
    assert report.exit_code == 1
    assert [(problem.place, problem.code) for problem in report.problems] == [
        ("hooks.csv:2 Action", "unknown-action"),
        ("hooks.csv:2 URL", "bad-url"),
    ]
    assert report.results[["Row", "Status", "ErrorCode"]].to_numpy().tolist() == [
        ["hooks.csv:2", "invalid", "unknown-action; bad-url"]
    ]


def test_run_works_inside_a_running_event_loop(sheet):
    """As in a notebook, where a loop runs already."""

    async def cell():
        return run(Job(input=sheet, sandbox=True, **UNLIMITED))

    assert asyncio.run(cell()).counts == {"created": 3}


async def test_run_async_is_awaited(sheet):
    """For those who have a loop of their own."""
    report = await run_async(Job(input=sheet, sandbox=True, **UNLIMITED))
    assert report.counts == {"created": 3}


def test_errors_are_ours(sheet, tmp_path):
    """Each is a BulkhooksError with a sentence and an exit code."""
    cases = [
        (Job(input=tmp_path / "nowhere.csv"), InputError, 2),
        (Job(input="-", sandbox=True), UsageError, 2),
        (Job(input=sheet, environment={"PATH": ""}, journal=tmp_path / "j.db"), CredentialsError, 3),
    ]
    for job, kind, code in cases:
        with pytest.raises(kind) as error:
            run(job)
        assert isinstance(error.value, BulkhooksError)
        assert error.value.exit_code == code
