"""Requests about runs: which there were, how one stands, stop it, its results, take it back."""

from __future__ import annotations

import dataclasses
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import pandas as pd
from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bulkhooks.commands.history import recalled, results_again
from bulkhooks.commands.runs import runs
from bulkhooks.commands.undo import undo
from bulkhooks.config.names import results_beside
from bulkhooks.errors import BulkhooksError, LockedError, UsageError
from bulkhooks.report import Report, Summary
from bulkhooks.times import new_run_id
from bulkhooks.web.page import Page, fields_of, made, page_of, paged, person_of, sentence, shown, work_of
from bulkhooks.web.works import BY_THE_PAGE, Work

_MOST_RUNS = 200
_COLUMNS = (
    "Row",
    "Status",
    "BusinessId",
    "Location",
    "Action",
    "URL",
    "Name",
    "WebhookId",
    "Error",
    "Warning",
    "Changes",
)
_frames: dict[tuple[str, str], pd.DataFrame] = {}
_frames_guard = threading.Lock()
_MOST_FRAMES = 4


async def index(request: Request) -> Response:
    """All runs, the newest first."""
    page = page_of(request)
    found = await to_thread.run_sync(_runs, page)
    return shown(
        request,
        "runs.html",
        runs=[
            run | {"file": _file(run), "draft": page.drafts.of_run(str(run["run_id"]))} for run in found[:_MOST_RUNS]
        ],
        more=max(0, len(found) - _MOST_RUNS),
        works=page.works.under_way("run", "undo"),
    )


def _runs(page: Page) -> list[dict[str, Any]]:
    try:
        return runs(page.job)
    except UsageError:  # there is no journal so far
        return []


def _file(run: dict[str, Any]) -> str:
    return ", ".join(Path(name).name for name in run["inputs"])


async def show(request: Request) -> Response:
    """How a run stands, or what became of it."""
    page = page_of(request)
    work = work_of(request, "run", "undo")
    if work is not None and not work.is_over:
        return shown(request, "running.html", work=work)
    run_id = request.path_params["work"]
    try:
        report = await to_thread.run_sync(_recalled, page, run_id)
    except BulkhooksError as error:
        if work is not None:  # it broke off before the journal had it
            draft = page.drafts.get(work.draft, person_of(request).id)
            return shown(request, "ended.html", work=work, reason=_why(page, work), draft=draft)
        raise HTTPException(404, str(error)) from None
    known = next((run for run in await to_thread.run_sync(_runs, page) if run["run_id"] == run_id), {})
    rows = await to_thread.run_sync(_frame, report)
    chosen = request.query_params.get("status", "")
    kept = rows[rows["Status"] == chosen] if chosen in report.counts else rows
    number, pages, on_it = paged(len(kept), request.query_params.get("page", ""))
    here = kept.iloc[on_it]
    columns = [name for name in _COLUMNS if name in ("Row", "Status") or here[name].notna().any()]
    return shown(
        request,
        "run.html",
        report=report,
        summary=report.summary,
        known=known,
        file=", ".join(Path(name).name for name in report.summary.inputs),
        work=work,
        reason=sentence(work.error) if work is not None and work.error is not None else "",
        warnings=list(map(str, work.report.warnings)) if work is not None and work.report is not None else [],
        columns=columns,
        rows=here[columns].astype(object).where(here[columns].notna(), "").to_dict("records"),
        chosen=chosen if chosen in report.counts else "",
        number=number,
        pages=pages,
        link=f"/runs/{run_id}",
        draft=page.drafts.of_run(run_id),
    )


def _why(page: Page, work: Work) -> str:
    """Why a work ended that the journal knows nothing of."""
    if work.error is None:
        return "; ".join(map(str, work.report.warnings)) if work.report is not None else ""
    names = {other.who for other in page.works.under_way("run", "undo", "reactivate") if other.who}
    by = f" (begun by {', '.join(sorted(names))})" if isinstance(work.error, LockedError) and names else ""
    return sentence(work.error).removesuffix(", or use --wait-lock SECONDS") + by


def _recalled(page: Page, run_id: str) -> Report:
    return recalled(dataclasses.replace(page.job, run=run_id))


def _frame(report: Report) -> pd.DataFrame:
    """The results; those of a run that is over are kept for the next page of them."""
    key = (report.summary.run_id, report.summary.finished_at)
    with _frames_guard:
        found = _frames.pop(key, None)
    if found is None:
        found = report.results
    with _frames_guard:
        if report.summary.finished_at:
            _frames[key] = found
        while len(_frames) > _MOST_FRAMES:
            del _frames[next(iter(_frames))]
    return found


async def live(request: Request) -> Response:
    """How a run stands: a part of the page."""
    work = work_of(request, "run", "undo", "health", "reactivate")
    if work is None:
        raise HTTPException(404, "This is over.")
    return shown(request, "live.html", work=work)


async def stop(request: Request) -> Response:
    """The run is to stop: what is in flight is finished, the rest stays pending."""
    work = work_of(request, "run", "undo", "health", "reactivate")
    if work is not None and not work.is_over and not work.stop.is_asked:
        work.stop.ask(BY_THE_PAGE)
    return RedirectResponse(_place(request, work), 303)


async def answer(request: Request) -> Response:
    """The question is answered."""
    work = work_of(request, "run", "undo", "health", "reactivate")
    if work is not None:
        work.answer((await fields_of(request)).get("answer") == "yes")
    return RedirectResponse(_place(request, work), 303)


def _place(request: Request, work: Work | None) -> str:
    is_of_health = work is not None and work.kind in {"health", "reactivate"}
    return "/health" if is_of_health else f"/runs/{request.path_params['work']}"


async def download(request: Request) -> Response:
    """The results as a workbook, from the journal."""
    page, run_id = page_of(request), request.path_params["work"]

    def make(folder: Path) -> tuple[Path, str]:
        place = folder / "results.xlsx"
        report = results_again(dataclasses.replace(page.job, run=run_id, output=(str(place),)))
        return place, _results_name(report.summary)

    try:
        return await made(make)
    except UsageError as error:
        raise HTTPException(404, str(error)) from None


def _results_name(summary: Summary) -> str:
    """What the results of a run are called."""
    first = Path(Path(summary.inputs[0]).name) if summary.inputs else Path(f"{summary.run_id}.xlsx")
    return results_beside(first, is_rehearsal=summary.is_rehearsal).name


async def correct(request: Request) -> Response:
    """The results are to be corrected and run: they become a file of the person's own."""
    page, person, run_id = page_of(request), person_of(request), request.path_params["work"]

    def write(path: Path) -> None:
        results_again(dataclasses.replace(page.job, run=run_id, output=(str(path),)))

    report = await to_thread.run_sync(_recalled, page, run_id)
    draft = await to_thread.run_sync(page.drafts.add, person.id, _results_name(report.summary), write)
    return RedirectResponse(f"/sheets/{draft.id}", 303)


async def take_back(request: Request) -> Response:
    """The run is to be taken back; what that means is asked before anything is sent."""
    page, person, run_id = page_of(request), person_of(request), request.path_params["work"]
    report = await to_thread.run_sync(_recalled, page, run_id)
    name = ", ".join(Path(name).name for name in report.summary.inputs) or run_id
    work = Work(new_run_id(time.time()), "undo", f"undo of {name}", person.id, person.name)

    def do(work: Work) -> Report:
        with tempfile.TemporaryDirectory(prefix="bulkhooks-undo-") as folder:
            outputs = (str(Path(folder) / "undo.xlsx"),)
            job = dataclasses.replace(page.job_of(person), run=run_id, output=outputs, yes=False)
            return undo(job, watcher=work, ask=work.ask, run_id=work.id)

    page.works.start(work, do)
    return RedirectResponse(f"/runs/{work.id}", 303)
