"""Airflow 3: one run over 16 mapped tasks, on however many workers there are, and its results as the last task.

Each task takes its shard of the accounts and may be tried again by itself; PostgreSQL is the memory of all of them, so
no worker has to keep a disk. On every worker: ``pip install 'bulkhooks[cluster]'``, the sheet and ``accounts.toml`` in
``FOLDER`` (a mounted share will do), the variables that accounts.toml names, and ``PGPASSFILE``.
"""

from __future__ import annotations

import os
import re
from datetime import datetime, timedelta
from pathlib import Path

from airflow.exceptions import AirflowException, AirflowFailException
from airflow.sdk import dag, get_current_context, task

from bulkhooks import BulkhooksError, Job, LockedError, run

FOLDER = Path(os.environ.get("BULKHOOKS_FOLDER", "/srv/bulkhooks"))
JOURNAL = os.environ.get("BULKHOOKS_JOURNAL", "postgresql://bulkhooks@db.example.com/hooks")
SHARDS = 16


def name_of_run() -> str:
    """The same for all tasks of a run of the DAG, and whenever one of them is tried again."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", get_current_context()["dag_run"].run_id)


@dag(
    schedule="15 2 * * *",
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001 (Airflow takes it as UTC)
    catchup=False,
    max_active_runs=1,
    tags=["nexudus"],
)
def nexudus_shards():
    """A sheet in, webhooks out, by many hands."""

    @task(retries=6, retry_delay=timedelta(hours=1))
    def provision(shard: int) -> dict[str, int]:
        """Send what is not there yet. What is left over, or what another process is at, is tried again in an hour."""
        name = name_of_run()
        job = Job(
            input=FOLDER / "hooks.csv",
            output=FOLDER / "results" / f"{name}.{shard}.csv",
            accounts=FOLDER / "accounts.toml",
            journal=JOURNAL,
            run_id=name,
            shard=f"{shard}/{SHARDS}",
            no_progress=True,
        )
        try:
            report = run(job)
        except LockedError as error:
            raise AirflowException(str(error)) from error
        except BulkhooksError as error:
            raise AirflowFailException(str(error)) from error
        summary = report.summary
        if report.exit_code == 4:
            raise AirflowException(f"{summary.remaining} rows are left, from {summary.resume_at or 'now'} on")
        if report.exit_code:
            examples = "; ".join(error.example for error in summary.errors)
            raise AirflowFailException(f"{summary.status}: {examples}; see {', '.join(summary.outputs)}")
        return report.counts

    @task.bash(trigger_rule="all_done", env={"BULKHOOKS_JOURNAL": JOURNAL}, append_env=True)
    def results() -> str:
        """All rows of all shards. Where one has not done its part, this task fails, too."""
        name = name_of_run()
        return f"bulkhooks results --run {name} -o {FOLDER}/results/{name}.xlsx"

    provision.expand(shard=list(range(SHARDS))) >> results()


nexudus_shards()
