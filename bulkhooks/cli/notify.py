"""Tells others how a run went: a message with the summary, mailboxes, a dead man's switch, and the metrics file.

None of this changes how the run ends: what cannot be told is a warning.
"""

from __future__ import annotations

import logging
import os
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from bulkhooks.cli.metrics import write_metrics
from bulkhooks.cli.services import notify_services
from bulkhooks.cli.text import failed
from bulkhooks.commands.context import sign
from bulkhooks.config.job import Job
from bulkhooks.errors import BulkhooksError
from bulkhooks.nexudus.transport import Request, open_route, url_of
from bulkhooks.provision.tasks import run_sync
from bulkhooks.redact import without_secrets
from bulkhooks.report import Report, Summary
from bulkhooks.version import VERSION

_log = logging.getLogger("bulkhooks")

TIMEOUT = 10.0
"""Seconds for an address to answer, from the first byte of the connection to the last of the answer."""

TIMEOUT_OF_SERVICES = 60.0
"""Seconds for all mailboxes and services together, attachments included."""

_LONGEST_ANSWER = 65_536
"""Bytes: nobody reads it."""

_LONGEST_BODY = 10_000
"""Characters of what a dead man's switch is told; those of healthchecks.io keep as much."""

_CHANGES = ("created", "updated", "deleted")


def attended(job: Job, work: Callable[[], Report], run_id: str) -> Report:
    """Do the work; say when it starts and how it ends to those whom the job names. Errors pass through.

    ``run_id`` is the run's, which has it before it begins.
    """
    started_at = time.time()
    _ping(job, "/start", run_id, f"run {run_id} started")
    try:
        report = work()
    except BulkhooksError as error:
        _notify(job, run_id, Report(_broken_off(job, error, started_at)))
        raise
    except Exception as error:
        unexpected = _Unexpected(f"this should not have happened: {type(error).__name__}")
        _notify(job, run_id, Report(_broken_off(job, unexpected, started_at)))
        raise
    except BaseException:
        _ping(job, "/fail", run_id, f"run {run_id} was stopped")
        raise
    _notify(job, run_id, report)
    return report


def _broken_off(job: Job, error: BulkhooksError, started_at: float) -> Summary:
    summary = failed(error, job.inputs, started_at)
    sign(summary, job)
    return summary


class _Unexpected(BulkhooksError):
    """A mistake of this program; what it holds is nobody's business."""

    exit_code = 4


def _notify(job: Job, run_id: str, report: Report) -> None:
    summary = report.summary
    summary.run_id = summary.run_id or run_id
    try:
        if job.metrics_file:
            write_metrics(job.metrics_file, job, report)
        _ping(job, f"/{summary.exit_code}" if summary.exit_code else "", run_id, _in_full(job, summary))
        if _is_worth_telling(job, summary):
            _post(job, summary)
            _notify_services(job, summary)
    except KeyboardInterrupt:  # the run is over, and its exit code stands
        _log.warning("[notify]: stopped by a signal, so not everybody is told")


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
    message = {**found, "job": job.name, "text": _sentence(job, summary)}
    _send(job, job.notify.url_env, lambda url: _post_to(url, json=message))


def _notify_services(job: Job, summary: Summary) -> None:
    """Mailboxes and whatever else apprise knows: the sentence as the subject, the details and the workbook in it."""
    if job.notify is None or job.notify.apprise_env is None:
        return
    variable = job.notify.apprise_env
    addresses = _value_of(job, variable).split()
    if not addresses:
        return
    attach = [path for path in summary.outputs if Path(path).is_file()] if job.notify.attach else []
    problems = notify_services(
        addresses,
        _sentence(job, summary, example=False),
        _in_full(job, summary),
        attach=attach,
        failed=summary.exit_code != 0,
        timeout=TIMEOUT_OF_SERVICES,
    )
    for number, problem in enumerate(problems, 1):
        if problem:
            which = f"address {number} of {len(problems)}" if len(problems) > 1 else "the address"
            _log.warning("[notify]: %s in %s: %s", which, variable, problem)


def _sentence(job: Job, summary: Summary, *, example: bool = True) -> str:
    """What Slack and its kind show of a message, and the subject of an e-mail (without the example)."""
    counts = ", ".join(f"{count} {status}" for status, count in summary.counts.items()) or "no rows"
    later = f", goes on from {summary.resume_at}" if summary.resume_at else ""
    first = f": {without_secrets(summary.errors[0].example)}" if example and summary.errors else ""
    who = job.name or summary.run_id
    return f"bulkhooks {who}: {summary.status} (exit {summary.exit_code}), {counts}{later}{first}"


def _in_full(job: Job, summary: Summary) -> str:
    """The sentence, then what went wrong, where the results are, and the run's id, a line each."""
    return "\n".join(
        [
            _sentence(job, summary, example=False),
            *(f"{error.count} x {error.code}: {without_secrets(error.example)}" for error in summary.errors),
            *(f"Results: {output}" for output in summary.outputs),
            f"Run: {summary.run_id}",
        ]
    )


def _ping(job: Job, signal: str, run_id: str, body: str) -> None:
    """Tell a dead man's switch in the manner of healthchecks.io.

    ``/start``, ``/fail`` or ``/<exit code>`` stands behind the path of the address, nothing where all is well. ``rid``
    lets the switch match the end with the start; it has to be a UUID, so it is made from the run's id.
    """
    if job.notify is None or job.notify.ping_env is None:
        return
    rid = uuid.uuid5(uuid.NAMESPACE_URL, f"bulkhooks:{run_id}")

    def ping(url: str) -> str:
        path, _, query = url.partition("?")
        signalled = (path.rstrip("/") if signal else path) + signal
        return _post_to(f"{signalled}?{query}{'&' if query else ''}rid={rid}", text=body[:_LONGEST_BODY])

    _send(job, job.notify.ping_env, ping)


def _value_of(job: Job, variable: str) -> str:
    value = (job.environment or os.environ).get(variable, "").strip()
    if not value:
        _log.warning("[notify]: the variable %s is not set, so nobody is told", variable)
    return value


def _send(job: Job, variable: str, post: Callable[[str], str]) -> None:
    address = _value_of(job, variable)
    if not address:
        return
    try:
        problem = post(address)
    except Exception as error:  # noqa: BLE001  # whatever it is, the run has ended as it has
        problem = type(error).__name__
    if problem:
        _log.warning("[notify]: the address in %s could not be told: %s", variable, problem)


def _post_to(address: str, *, json: Mapping[str, object] | None = None, text: str = "") -> str:
    """POST a message as JSON, or as text; returns what went wrong, '' where all is well."""
    headers = {"User-Agent": f"bulkhooks/{VERSION}"}
    if json is None:
        headers["Content-Type"] = "text/plain; charset=utf-8"

    async def post() -> int:
        url = url_of(address)
        content = None if json is not None else text.encode("utf-8", "replace")
        request = Request("POST", url, json=json, content=content, headers=headers)
        async with open_route(url) as route:
            answer = await route.exchange(request, timeout=TIMEOUT, total=TIMEOUT, longest=_LONGEST_ANSWER, peer="it")
        return answer.status_code

    try:
        status = run_sync(post)
    except BulkhooksError as error:
        return str(error)
    except ValueError:
        return "it is no http or https address"
    return "" if 200 <= status < 300 else f"it answers {status}"
