"""The DAG, with a stand-in for Airflow that only calls what it is given."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import anyio
import pytest

from bulkhooks.nexudus.address import account_key
from bulkhooks.provision.journal.holding import hold
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.sandbox.server import Sandbox
from tests.jobs.command_lines import SCHEDULES

SHEET = "BusinessId,Action,URL\n1001,BookingCreate,https://example.com/hooks\n"


class _Exception(Exception):
    """Airflow tries again."""


class _FailException(_Exception):
    """Airflow does not try again."""


class _Airflow:
    """The few names of Airflow that the DAG takes; keeps the task and does not run it."""

    def __init__(self) -> None:
        self.dag_options: dict[str, object] = {}
        self.task_options: dict[str, object] = {}
        self.provision = None
        self.connection = SimpleNamespace(host="http://127.0.0.1:9", password="token")

    def dag(self, **options):
        self.dag_options = options
        return lambda function: function

    def task(self, **options):
        self.task_options = options

        def keep(function):
            self.provision = function
            return lambda *_: None

        return keep

    def modules(self) -> dict[str, ModuleType]:
        names = {
            "airflow": {},
            "airflow.exceptions": {"AirflowException": _Exception, "AirflowFailException": _FailException},
            "airflow.sdk": {
                "BaseHook": SimpleNamespace(get_connection={"nexudus": self.connection}.__getitem__),
                "dag": self.dag,
                "task": self.task,
            },
        }
        modules = {}
        for name, content in names.items():
            modules[name] = ModuleType(name)
            vars(modules[name]).update(content)
        return modules


@pytest.fixture
def airflow(monkeypatch):
    """The DAG's file as Airflow's processor would run it: every name that it imports has to be there."""
    airflow = _Airflow()
    for name, module in airflow.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    path = SCHEDULES / "airflow_dag.py"
    exec(compile(path.read_text("utf-8"), str(path), "exec"), {"__name__": "airflow_dag"})
    return airflow


@pytest.fixture
def inbox(tmp_path):
    """The folder with an inbox."""
    (tmp_path / "inbox").mkdir()
    return tmp_path


def test_it_runs_once_at_a_time_and_tries_again(airflow):
    """No two runs side by side, no catching up, and what is left over is tried again."""
    assert airflow.dag_options["max_active_runs"] == 1
    assert airflow.dag_options["catchup"] is False
    assert airflow.task_options["retries"] > 0


def test_an_empty_inbox_is_a_run_of_nothing(airflow, inbox):
    """A folder without sheets ends well."""
    assert airflow.provision(str(inbox)) == {}


def test_what_cannot_be_read_is_not_tried_again(airflow, inbox):
    """An input error needs a person: Airflow is told to stop."""
    (inbox / "inbox/hooks.xlsx").write_text("no workbook")
    with pytest.raises(_FailException, match=r"hooks\.xlsx"):
        airflow.provision(str(inbox))


def test_it_sends_with_the_token_of_the_connection(airflow, inbox):
    """The sheet's webhooks are created once, under the connection's token at the connection's host."""
    _write_sheet(inbox / "inbox/hooks.xlsx")
    with Sandbox() as sandbox:
        airflow.connection.host, airflow.connection.password = sandbox.base_url, sandbox.token
        assert airflow.provision(str(inbox)) == {"created": 1}
        assert airflow.provision(str(inbox)) == {"exists": 1}
        assert len(list((inbox / "results").iterdir())) == 1


def test_a_token_that_is_turned_away_is_not_tried_again(airflow, inbox):
    """Nothing gets better by itself: Airflow is told to stop, and where the results are."""
    _write_sheet(inbox / "inbox/hooks.xlsx")
    with Sandbox() as sandbox:
        airflow.connection.host, airflow.connection.password = sandbox.base_url, "wrong"
        with pytest.raises(_FailException, match=r"auth-error.*results"):
            airflow.provision(str(inbox))


async def test_another_run_under_way_is_waited_for(airflow, inbox):
    """While the account is locked the task fails so that Airflow tries it again."""
    _write_sheet(inbox / "inbox/hooks.xlsx")
    server = airflow.connection.host
    with Journal(inbox / "journal.db") as journal:
        key = account_key(server, "default")
        account_id = journal.account(key, "default")
        await hold(journal, account_id, "default", 0)
        with pytest.raises(_Exception, match="default") as raised:
            await anyio.to_thread.run_sync(airflow.provision, str(inbox))
        journal.locks.release(account_id)
    assert not isinstance(raised.value, _FailException)


def _write_sheet(path):
    import openpyxl

    book = openpyxl.Workbook()
    for line in SHEET.splitlines():
        book.active.append(line.split(","))
    book.save(path)
