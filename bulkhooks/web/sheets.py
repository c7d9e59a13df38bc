"""Requests about a file: drop it, say what its columns are, correct its cells, look what would happen, send it."""

from __future__ import annotations

import dataclasses
import secrets
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread
from starlette.background import BackgroundTask
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response

from bulkhooks.commands.correct import CorrectableSheet, can_be_sent
from bulkhooks.commands.history import finished
from bulkhooks.commands.plan import plan
from bulkhooks.commands.run import run
from bulkhooks.commands.template import live_locations
from bulkhooks.errors import BulkhooksError, InputError, Unmapped, UsageError
from bulkhooks.report import Question, Report
from bulkhooks.sheets.reading.headings import headings
from bulkhooks.sheets.reading.source import FIELDS
from bulkhooks.times import new_run_id
from bulkhooks.web.drafts import SUFFIXES, Draft, file_name
from bulkhooks.web.page import Page, draft_of, fields_of, page_of, part, person_of, sentence, shown
from bulkhooks.web.people import Person
from bulkhooks.web.sample import NAME, write_sample
from bulkhooks.web.works import Work

ROWS_ON_A_PAGE = 100
_UPLOAD_TIME = 300.0
"""Seconds for which a file may be on its way."""
_MOST_CHANGES = 50
"""Lines of what would be changed; the whole is in the counts."""


async def home(request: Request) -> Response:
    """What to do first, and what is there already."""
    page, person = page_of(request), person_of(request)
    drafts = page.drafts.of(person.id)
    return shown(
        request,
        "home.html",
        drafts=[draft for draft in drafts if not draft.runs],
        unfinished=[draft for draft in drafts if draft.runs and not _running(page, draft)],
        works=page.works.under_way("run", "undo", "health"),
        suffixes=",".join(SUFFIXES),
    )


async def upload(request: Request) -> Response:
    """A file is dropped."""
    page, person = page_of(request), person_of(request)
    with anyio.fail_after(_UPLOAD_TIME):
        async with request.form(max_files=1, max_fields=10) as form:
            found = form.get("file")
            if not isinstance(found, UploadFile) or not found.filename:
                raise InputError("choose a file first: a workbook (.xlsx, .xlsm, .xls, .ods) or a text file (.csv)")
            source, name = found.file, file_name(found.filename)

            def write(path: Path) -> None:
                with path.open("xb") as target:
                    shutil.copyfileobj(source, target)

            draft = await to_thread.run_sync(page.drafts.add, person.id, name, write)
    return RedirectResponse(f"/sheets/{draft.id}", 303)


async def sample(request: Request) -> Response:
    """The sample is wanted."""
    page, person = page_of(request), person_of(request)
    draft = await to_thread.run_sync(page.drafts.add, person.id, NAME, write_sample)
    return RedirectResponse(f"/sheets/{draft.id}", 303)


async def show(request: Request) -> Response:
    """The file: what is wrong with it, what would happen, the button."""
    return await _shown(request, draft_of(request))


async def _shown(request: Request, draft: Draft, error: str = "", status: int = 200) -> Response:
    page = page_of(request)
    try:
        sheet = await to_thread.run_sync(page.drafts.sheet, draft, page.job_of(person_of(request)))
    except BulkhooksError as reason:
        return await _unreadable(request, draft, reason)
    return shown(
        request,
        "sheet.html",
        status,
        draft=draft,
        error=error,
        run=_running(page, draft),
        is_unfinished=bool(draft.runs),
        **_grid(sheet, draft, request.query_params.get("show", ""), request.query_params.get("page", "")),
        **_summary(sheet),
        **_planned(draft),
        **_columns(sheet, draft),
    )


async def _unreadable(request: Request, draft: Draft, reason: BulkhooksError) -> Response:
    """The file cannot be used as it is; where its headings are the reason, they can be chosen."""
    names: dict[str, str] = {}
    if isinstance(reason, Unmapped) or "header" in str(reason) or "column" in str(reason):
        try:
            names = await to_thread.run_sync(headings, str(draft.path))
        except BulkhooksError:
            names = {}
    proposed = dict(reason.columns) if isinstance(reason, Unmapped) else {}
    proposed |= dict(pair.rpartition("=")[::2] for pair in draft.map)
    text = sentence(reason, draft.folder).partition(" By what stands in the columns")[0]
    return shown(
        request, "columns.html", draft=draft, reason=text, names=names, proposed=proposed, fields=FIELDS, status=200
    )


def _grid(sheet: CorrectableSheet, draft: Draft, which: str, page: str) -> dict[str, Any]:
    counts = {name: len(sheet.numbers(name)) for name in ("all", "wrong", "warning")}
    if which not in counts:
        which = "wrong" if counts["wrong"] else "all"
    pages = max(1, -(-counts[which] // ROWS_ON_A_PAGE))
    number = min(pages, max(1, int(page))) if page.isdecimal() and len(page) < 9 else 1
    numbers = sheet.numbers(which)[(number - 1) * ROWS_ON_A_PAGE : number * ROWS_ON_A_PAGE]
    return {
        "which": which, "filters": counts, "number": number, "pages": pages, "rows": list(sheet.rows(numbers)),
        "fields": sheet.fields, "others": sheet.others, "link": f"/sheets/{draft.id}",
    }  # fmt: skip


def _summary(sheet: CorrectableSheet) -> dict[str, Any]:
    report = sheet.report
    return {
        "report": report, "fit": can_be_sent(report), "size": len(sheet), "corrected": len(sheet.corrections),
        "whole": [problem for problem in report.warnings if problem],
    }  # fmt: skip


def _columns(sheet: CorrectableSheet, draft: Draft) -> dict[str, Any]:
    used: dict[str, str] = {}
    for source in sheet.table.sources:
        used |= {header: name for name, header in source.headers.items()}
    mapped = dict(pair.rpartition("=")[::2] for pair in draft.map)
    names = dict.fromkeys([*mapped, *sheet.others], "")
    return {"used": used, "names": names, "proposed": mapped, "all_fields": FIELDS}


def _planned(draft: Draft) -> dict[str, Any]:
    work = draft.plan
    found: dict[str, Any] = {"plan": work, "planned": None, "changes": [], "more": 0}
    if work is not None and work.report is not None:
        rows = work.report.results
        rows = rows[rows["Status"] == "planned"] if len(rows) else rows
        found |= {"planned": work.report, "more": max(0, len(rows) - _MOST_CHANGES)}
        found["changes"] = rows.head(_MOST_CHANGES).fillna("").to_dict("records")
    return found


async def correct(request: Request) -> Response:
    """A cell is corrected; its rows come back as they are now."""
    page, draft, fields = page_of(request), draft_of(request), await fields_of(request)
    row, name, text = fields.get("row", ""), fields.get("field", ""), fields.get("text", "")

    def work() -> tuple[CorrectableSheet, list[int]]:
        with draft.guard:
            sheet = page.drafts.sheet(draft, page.job_of(person_of(request)))
            if _running(page, draft):
                raise UsageError("the file is being sent; wait for the end of the run")
            rows = sheet.correct(int(row) if row.isdecimal() and len(row) < 9 else -1, name, text)
            draft.changed()
            return sheet, rows

    try:
        sheet, rows = await to_thread.run_sync(work)
    except BulkhooksError as error:
        return JSONResponse({"error": sentence(error, draft.folder)}, 409)
    values = {"fields": sheet.fields, "others": sheet.others}
    return JSONResponse(
        {
            "rows": {str(each.number): part("row.html", row=each, **values) for each in sheet.rows(rows)},
            "summary": part("summary.html", draft=draft, error="", **_summary(sheet)),
        }
    )


async def map_columns(request: Request) -> Response:
    """What columns mean is chosen."""
    page, draft, fields = page_of(request), draft_of(request), await fields_of(request)
    pairs = zip(sorted(name for name in fields if name.startswith("name-")), strict=False)
    chosen = [(fields[name], fields.get(f"field-{name[5:]}", "")) for (name,) in pairs]
    with draft.guard:
        draft.map = [f"{theirs}={ours}" for theirs, ours in chosen if ours in FIELDS]
        page.drafts.read_again(draft)
        draft.changed()
    return RedirectResponse(f"/sheets/{draft.id}", 303)


async def use_locations(request: Request) -> Response:
    """The server's own list of locations is to count."""
    page, draft = page_of(request), draft_of(request)

    def work() -> None:
        draft.locations = live_locations(
            dataclasses.replace(draft.job(page.job_of(person_of(request))), locations="live")
        )

    try:
        await to_thread.run_sync(work)
    except BulkhooksError as error:
        return await _shown(request, draft, sentence(error, draft.folder), 409)
    with draft.guard:
        draft.is_live = True
        page.drafts.read_again(draft)
        draft.changed()
    return RedirectResponse(f"/sheets/{draft.id}", 303)


async def download(request: Request) -> Response:
    """The file as it is now."""
    page, draft = page_of(request), draft_of(request)

    def work() -> Path:
        with draft.guard:
            sheet = page.drafts.sheet(draft, page.job_of(person_of(request)))
            folder = Path(tempfile.mkdtemp(prefix="download-", dir=draft.folder))
            return sheet.write(folder / draft.name) if draft.corrections else draft.path

    try:
        path = await to_thread.run_sync(work)
    except BulkhooksError as error:
        return await _shown(request, draft, sentence(error, draft.folder), 409)
    name = f"{Path(draft.name).stem}.corrected{path.suffix}" if draft.corrections else draft.name
    task = BackgroundTask(shutil.rmtree, path.parent, True) if draft.corrections else None
    return FileResponse(path, filename=name, background=task)


async def remove(request: Request) -> Response:
    """The file is to be forgotten."""
    page, draft = page_of(request), draft_of(request)
    if _running(page, draft):
        return await _shown(request, draft, "The file is being sent: stop the run first.", 409)
    await to_thread.run_sync(page.drafts.remove, draft)
    return RedirectResponse("/", 303)


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
    return shown(request, "plan.html", draft=draft, **_planned(draft))


async def confirm(request: Request) -> Response:
    """Is that to be sent? Names server, account and what is changed."""
    draft = draft_of(request)
    if _unplanned(draft):
        return RedirectResponse(f"/sheets/{draft.id}#plan", 303)
    return shown(request, "confirm.html", draft=draft, **_planned(draft))


async def send(request: Request) -> Response:
    """It is to be sent."""
    page, draft, person, fields = page_of(request), draft_of(request), person_of(request), await fields_of(request)
    if (running := _running(page, draft)) is not None:
        return RedirectResponse(f"/runs/{running.id}", 303)
    if _unplanned(draft) or fields.get("version") != str(draft.version):
        return await _shown(
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
        return await _shown(request, draft, sentence(error, draft.folder), 409)
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
    from bulkhooks.commands.runs import runs

    try:
        return any(run["run_id"] == run_id for run in runs(page.job))
    except BulkhooksError:
        return False


def _unplanned(draft: Draft) -> bool:
    return draft.plan is None or draft.plan.report is None or not draft.plan.report.forecast


def _running(page: Page, draft: Draft) -> Work | None:
    return next((work for work in page.works.under_way("run") if work.id in draft.runs), None)


def may_see(person: Person, draft: Draft | None) -> Draft:
    """The file, where there is one. Raises ``HTTPException``."""
    if draft is None or (draft.owner != person.id and not draft.runs):
        raise HTTPException(404, "This file is not here any more.")
    return draft
