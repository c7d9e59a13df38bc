"""Tells others how a run went: a message with the summary, a dead man's switch, and the metrics file.

None of this changes how the run ends: what cannot be told is a warning.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict

from bulkhooks.cli.metrics import write_metrics
from bulkhooks.cli.text import failed
from bulkhooks.config.job import Job
from bulkhooks.errors import BulkhooksError
from bulkhooks.nexudus.transport import Request, open_route, url_of
from bulkhooks.provision.tasks import run_sync
from bulkhooks.redact import without_secrets
from bulkhooks.report import Report, Summary
from bulkhooks.version import VERSION

_log = logging.getLogger("bulkhooks")

_TIMEOUT = 10.0
"""Seconds for an address to answer, from the first byte of the connection to the last of the answer."""

_LONGEST_ANSWER = 65_536
"""Bytes: nobody reads it."""

_CHANGES = ("created", "updated", "deleted")


def attended(job: Job, work: Callable[[], Report]) -> Report:
    """Do the work; say when it starts and how it ends to those whom the job names. Errors pass through."""
    _ping(job, "/start")
    try:
        report = work()
    except BulkhooksError as error:
        _told(job, Report(failed(error, job.inputs)))
        raise
    except Exception as error:
        _told(job, Report(failed(_Unexpected(f"this should not have happened: {type(error).__name__}"), job.inputs)))
        raise
    except BaseException:
        _ping(job, "/fail")
        raise
    _told(job, report)
    return report


class _Unexpected(BulkhooksError):
    """A mistake of this program; what it holds is nobody's business."""

    exit_code = 4


def _told(job: Job, report: Report) -> None:
    summary = report.summary
    _ping(job, "/fail" if summary.exit_code else "")
    if _is_worth_telling(job, summary):
        _post(job, summary)
    if job.metrics_file:
        write_metrics(job.metrics_file, job, report)


def _is_worth_telling(job: Job, summary: Summary) -> bool:
    on = job.notify.on if job.notify else ""
    if on == "always" or summary.exit_code:
        return True
    return on == "change" and any(summary.counts.get(status) for status in _CHANGES)


def _post(job: Job, summary: Summary) -> None:
    if job.notify is None or job.notify.url_env is None:
        return
    found = summary.as_dict()
    found["errors"] = [asdict(error) | {"example": without_secrets(error.example)} for error in summary.errors]
    _send(job, job.notify.url_env, lambda url: url, {**found, "job": job.name, "text": _sentence(job, summary)})


def _sentence(job: Job, summary: Summary) -> str:
    """What Slack and its kind show of a message."""
    counts = ", ".join(f"{count} {status}" for status, count in summary.counts.items()) or "no rows"
    later = f", goes on from {summary.resume_at}" if summary.resume_at else ""
    example = f": {without_secrets(summary.errors[0].example)}" if summary.errors else ""
    who = job.name or summary.run_id
    return f"bulkhooks {who}: {summary.status} (exit {summary.exit_code}), {counts}{later}{example}"


def _ping(job: Job, signal: str) -> None:
    """``/start``, ``/fail`` or nothing behind the path of the address, in the manner of healthchecks.io."""
    if job.notify is None or job.notify.ping_env is None:
        return

    def signalled(url: str) -> str:
        path, mark, query = url.partition("?")
        return (path.rstrip("/") if signal else path) + signal + mark + query

    _send(job, job.notify.ping_env, signalled, None)


def _send(job: Job, variable: str, signalled: Callable[[str], str], message: Mapping[str, object] | None) -> None:
    address = (job.environment or os.environ).get(variable, "").strip()
    if not address:
        _log.warning("[notify]: the variable %s is not set, so nobody is told", variable)
        return
    try:
        problem = _post_json(signalled(address), message)
    except Exception as error:  # noqa: BLE001  # whatever it is, the run has ended as it has
        problem = type(error).__name__
    if problem:
        _log.warning("[notify]: the address in %s could not be told: %s", variable, problem)


def _post_json(address: str, message: Mapping[str, object] | None = None) -> str:
    """POST a message as JSON (or nothing); returns what went wrong, '' where all is well."""

    async def post() -> int:
        url = url_of(address)
        request = Request("POST", url, json=message, headers={"User-Agent": f"bulkhooks/{VERSION}"})
        async with open_route(url) as route:
            answer = await route.exchange(request, timeout=_TIMEOUT, total=_TIMEOUT, longest=_LONGEST_ANSWER, peer="it")
        return answer.status_code

    try:
        status = run_sync(post)
    except BulkhooksError as error:
        return str(error)
    except ValueError:
        return "it is no http or https address"
    return "" if 200 <= status < 300 else f"it answers {status}"
