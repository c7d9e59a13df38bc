"""The other pages: health, the template, the 90 events, the token."""

from __future__ import annotations

import dataclasses
import secrets
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bulkhooks.actions import all_actions, label_of
from bulkhooks.commands.health import health
from bulkhooks.commands.template import template
from bulkhooks.errors import BulkhooksError
from bulkhooks.report import Report
from bulkhooks.sheets.writing.advice import FLAWS
from bulkhooks.web.page import fields_of, looks, made, page_of, person_of, sentence, shown
from bulkhooks.web.works import Work

_MOST_ROWS = 500
_KINDS = ("health", "reactivate")


async def health_page(request: Request) -> Response:
    """How delivery stands, as it was looked up last."""
    work = getattr(request.app.state, "health", None)
    rows: list[dict[str, object]] = []
    columns: list[str] = []
    report = work.report if work is not None else None
    chosen = request.query_params.get("status", "")
    total = 0
    if report is not None:
        found = report.results
        if chosen in report.counts:
            found = found[found["Health"] == chosen]
        elif len(found):
            found = found.sort_values("Health", key=lambda health: ~health.isin(FLAWS), kind="stable")
        total = len(found)
        columns = [name for name in found.columns if name != "Twins"]
        rows = found[columns].head(_MOST_ROWS).astype(object).fillna("").to_dict("records")
    return shown(
        request,
        "health.html",
        work=work,
        report=report,
        reason=sentence(work.error) if work is not None and work.error is not None else "",
        rows=rows,
        columns=columns,
        chosen=chosen,
        total=total,
    )


async def look(request: Request) -> Response:
    """Health is to be looked up, or what is disabled switched on."""
    page, person, fields = page_of(request), person_of(request), await fields_of(request)
    before = getattr(request.app.state, "health", None)
    if before is None or before.is_over:
        is_switching = fields.get("reactivate") == "yes"
        kind = "reactivate" if is_switching else "health"
        title = "switching on what failures have switched off" if is_switching else "health of every webhook"
        work = Work(secrets.token_hex(8), kind, title, person.id, person.name)

        def do(work: Work) -> Report:
            job = dataclasses.replace(page.job_of(person), reactivate=is_switching, yes=False)
            return health(job, ask=work.ask)

        request.app.state.health = page.works.start(work, do)
    return RedirectResponse("/health", 303)


async def template_page(request: Request) -> Response:
    """An empty workbook to fill in."""
    return shown(request, "template.html", reason="")


async def make_template(request: Request) -> Response:
    """The workbook, with the server's locations where that is wanted."""
    page, person, fields = page_of(request), person_of(request), await fields_of(request)
    is_live = fields.get("live") == "yes"

    def make(folder: Path) -> tuple[Path, str]:
        job = page.job_of(person)
        job = dataclasses.replace(job, locations="live" if is_live else job.locations)
        return Path(template(job, str(folder / "hooks.xlsx"))), "hooks.xlsx"

    try:
        return await made(make)
    except BulkhooksError as error:
        return shown(request, "template.html", 409, reason=sentence(error))


async def events(request: Request) -> Response:
    """The 90 events."""
    rows = [{"number": number, "name": name, "panel": label_of(number)} for number, name in all_actions()]
    return shown(request, "events.html", events=rows)


async def token(request: Request) -> Response:
    """A token is typed in, or to be forgotten; it is kept in memory and nowhere else."""
    person, fields = person_of(request), await fields_of(request)
    person.token = "".join(fields.get("token", "").split())[:10_000]
    back = fields.get("back", "/")
    is_here = back.startswith("/") and not back.startswith(("//", "/\\"))
    return RedirectResponse(back if is_here else "/", 303)


async def style(request: Request) -> Response:
    """The colours of the workbook."""
    del request
    return Response(looks(), media_type="text/css")
