"""Requests about a file: drop it, say what its columns are, correct its cells, have it back."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response

from bulkhooks.commands.correct import CorrectableSheet, can_be_sent
from bulkhooks.commands.template import live_locations
from bulkhooks.errors import BulkhooksError, InputError, Unmapped, UsageError
from bulkhooks.sheets.reading.headings import headings
from bulkhooks.sheets.reading.source import FIELDS
from bulkhooks.web.drafts import SUFFIXES, Draft, file_name
from bulkhooks.web.page import Page, draft_of, fields_of, made, page_of, paged, part, person_of, sentence, shown
from bulkhooks.web.sample import NAME, write_sample
from bulkhooks.web.works import Work

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
        unfinished=[draft for draft in drafts if draft.runs and not running(page, draft)],
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
    return await show_draft(request, draft_of(request))


async def show_draft(request: Request, draft: Draft, error: str = "", status: int = 200) -> Response:
    """The page of a file, with what could not be done with it."""
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
        run=running(page, draft),
        is_unfinished=bool(draft.runs),
        **_grid(sheet, draft, request.query_params.get("show", ""), request.query_params.get("page", "")),
        **_summary(sheet),
        **planned(draft),
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
    number, pages, on_it = paged(counts[which], page)
    numbers = sheet.numbers(which)[on_it]
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


def planned(draft: Draft) -> dict[str, Any]:
    """What is known of the plan, for the page."""
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
            if running(page, draft):
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
    names = sorted(name for name in fields if name.startswith("name-"))
    chosen = [(fields[name], fields.get(f"field-{name[5:]}", "")) for name in names]
    with draft.guard:
        draft.map = [f"{theirs}={ours}" for theirs, ours in chosen if ours in FIELDS]
        return _read_again(page, draft)


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
        return await show_draft(request, draft, sentence(error, draft.folder), 409)
    with draft.guard:
        draft.is_live = True
        return _read_again(page, draft)


def _read_again(page: Page, draft: Draft) -> Response:
    """The file means something else now."""
    page.drafts.read_again(draft)
    draft.changed()
    return RedirectResponse(f"/sheets/{draft.id}", 303)


async def download(request: Request) -> Response:
    """The file as it is now."""
    page, draft = page_of(request), draft_of(request)

    if not draft.corrections:
        return FileResponse(draft.path, filename=draft.name)

    def make(folder: Path) -> tuple[Path, str]:
        with draft.guard:
            path = page.drafts.sheet(draft, page.job_of(person_of(request))).write(folder / draft.name)
        return path, f"{Path(draft.name).stem}.corrected{path.suffix}"

    try:
        return await made(make, draft.folder)
    except BulkhooksError as error:
        return await show_draft(request, draft, sentence(error, draft.folder), 409)


async def remove(request: Request) -> Response:
    """The file is to be forgotten."""
    page, draft = page_of(request), draft_of(request)
    if running(page, draft):
        return await show_draft(request, draft, "The file is being sent: stop the run first.", 409)
    await to_thread.run_sync(page.drafts.remove, draft)
    return RedirectResponse("/", 303)


def running(page: Page, draft: Draft) -> Work | None:
    """The run that sends the file now."""
    return next((work for work in page.works.under_way("run") if work.id in draft.runs), None)
