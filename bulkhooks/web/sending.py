"""Requests about sending a file: what would happen, the question, the run."""

from __future__ import annotations

import dataclasses
import secrets
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bulkhooks.commands.history import finished
from bulkhooks.commands.plan import plan
from bulkhooks.commands.run import run
from bulkhooks.commands.runs import runs
from bulkhooks.errors import BulkhooksError
from bulkhooks.report import Question, Report
from bulkhooks.times import new_run_id
from bulkhooks.web.drafts import Draft
from bulkhooks.web.page import Page, draft_of, fields_of, page_of, person_of, sentence, shown
from bulkhooks.web.sheets import planned, running, show_draft
from bulkhooks.web.works import Work


async def begin_plan(request: Request) -> Response:
    """What would happen?"""
    page, draft, person, fields = page_of(request), draft_of(request), person_of(request), await fields_of(request)
    if draft.plan is None or draft.plan.is_over:
        with draft.guard:
            if fields.get("if_exists") in {"skip", "update", "fail"}:
                draft.if_exists = fields["if_exists"]
            if fields.get("account") in {"default", page.job.account, *page.job.accounts}:
                draft.account = fields["account"]
            draft.changed()
        work = Work(secrets.token_hex(8), "plan", draft.name, person.id, person.name, draft.id)

        def do(_: Work) -> Report:
            base = page.job_of(person)
            with draft.guard:
                job = draft.sendable(base, page.drafts.sheet(draft, base))
            return plan(job)

        draft.plan = page.works.start(work, do)
    return RedirectResponse(f"/sheets/{draft.id}#plan", 303)


async def plan_live(request: Request) -> Response:
    """How far the plan is: a part of the page."""
    draft = draft_of(request)
    return shown(request, "plan.html", draft=draft, **planned(draft))


async def confirm(request: Request) -> Response:
    """Is that to be sent? Names server, account and what is changed."""
    draft = draft_of(request)
    if _unplanned(draft):
        return RedirectResponse(f"/sheets/{draft.id}#plan", 303)
    return shown(request, "confirm.html", draft=draft, **planned(draft))


async def send(request: Request) -> Response:
    """It is to be sent."""
    page, draft, person, fields = page_of(request), draft_of(request), person_of(request), await fields_of(request)
    if (under_way := running(page, draft)) is not None:
        return RedirectResponse(f"/runs/{under_way.id}", 303)
    if _unplanned(draft) or fields.get("version") != str(draft.version):
        return await show_draft(
            request, draft, "The file was changed since it was planned: look what would happen now.", 409
        )
    assert draft.plan is not None  # noqa: S101
    assert draft.plan.report is not None  # noqa: S101
    agreed = draft.plan.report.forecast
    base = page.job_of(person)

    def prepare() -> Any:
        with draft.guard:
            return draft.sendable(base, page.drafts.sheet(draft, base))

    try:
        job = await to_thread.run_sync(prepare)
    except BulkhooksError as error:
        return await show_draft(request, draft, sentence(error, draft.folder), 409)
    run_id = new_run_id(time.time())
    work = Work(run_id, "run", draft.name, person.id, person.name, draft.id)

    def do(work: Work) -> Report:
        def ask(question: Question) -> bool:
            is_agreed = (
                agreed is not None and question.forecast is not None and question.forecast.changes == agreed.changes
            )
            return is_agreed or work.ask(question)

        folder = Path(tempfile.mkdtemp(prefix="results-", dir=draft.folder))
        now = dataclasses.replace(job, confirm_above=0, yes=False, output=(str(folder / "results.xlsx"),))
        try:
            return run(now, watcher=work, ask=ask, run_id=run_id)
        finally:
            shutil.rmtree(folder, ignore_errors=True)  # the journal has the results

    def then(work: Work) -> None:
        summary = finished(page.job, run_id)
        if summary is not None and not summary.remaining and work.error is None:
            page.drafts.remove(draft)
        elif summary is None and not _is_known(page, run_id):
            draft.runs.remove(run_id)  # it broke off before anything was planned
            draft.save()

    draft.runs.append(run_id)
    draft.plan = None
    draft.save()
    page.works.start(work, do, then)
    return RedirectResponse(f"/runs/{run_id}", 303)


def _is_known(page: Page, run_id: str) -> bool:
    try:
        return any(run["run_id"] == run_id for run in runs(page.job))
    except BulkhooksError:
        return False


def _unplanned(draft: Draft) -> bool:
    return draft.plan is None or draft.plan.report is None or not draft.plan.report.forecast
