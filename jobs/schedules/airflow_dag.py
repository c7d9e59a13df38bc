"""Airflow 3: the sheets of a folder every night, with bulkhooks as a library.

The Airflow connection ``nexudus`` holds the address, https://spaces.nexudus.com, as its host and the token as its
password. The folder has to be on a disk that the worker keeps: the journal in it is the job's memory.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from airflow.exceptions import AirflowException, AirflowFailException
from airflow.sdk import BaseHook, dag, task

from bulkhooks import BulkhooksError, Job, LockedError, run

FOLDER = Path("/srv/bulkhooks")


@dag(
    schedule="15 2 * * *",
    start_date=datetime(2026, 1, 1),  # noqa: DTZ001 (Airflow takes it as UTC)
    catchup=False,
    max_active_runs=1,
    tags=["nexudus"],
)
def nexudus_webhooks():
    """Sheets in, webhooks out."""

    @task(retries=6, retry_delay=timedelta(hours=1))
    def provision(folder: str) -> dict[str, int]:
        """Send what is not there yet. What is left over, or what another run is at, is tried again in an hour."""
        nexudus = BaseHook.get_connection("nexudus")
        inbox = Path(folder) / "inbox"
        job = Job(
            input=sorted(path for path in inbox.glob("*.xlsx") if not path.name.startswith("~$")),
            output=Path(folder) / "results" / f"{datetime.now():%Y-%m-%d}.xlsx",  # noqa: DTZ005
            journal=Path(folder) / "journal.db",
            name="nexudus_webhooks",
            if_exists="update",
            no_progress=True,
            base_url=nexudus.host,
            environment={"NEXUDUS_TOKEN": nexudus.password},
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

    provision(str(FOLDER))


nexudus_webhooks()
