"""The application: which request goes where, and how errors are told."""

from __future__ import annotations

import logging

from anyio import BrokenResourceError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bulkhooks.errors import BulkhooksError
from bulkhooks.web import others, runs, sending, sheets
from bulkhooks.web.guard import TooLarge, too_large
from bulkhooks.web.page import STATIC, Page, sentence, shown

_log = logging.getLogger("bulkhooks")

_GET, _POST = ["GET"], ["POST"]
ROUTES = [
    Route("/", sheets.home, methods=_GET),
    Route("/sheets", sheets.upload, methods=_POST),
    Route("/sheets/sample", sheets.sample, methods=_POST),
    Route("/sheets/{draft}", sheets.show, methods=_GET),
    Route("/sheets/{draft}/cell", sheets.correct, methods=_POST),
    Route("/sheets/{draft}/columns", sheets.map_columns, methods=_POST),
    Route("/sheets/{draft}/locations", sheets.use_locations, methods=_POST),
    Route("/sheets/{draft}/corrected", sheets.download, methods=_GET),
    Route("/sheets/{draft}/remove", sheets.remove, methods=_POST),
    Route("/sheets/{draft}/plan", sending.begin_plan, methods=_POST),
    Route("/sheets/{draft}/plan", sending.plan_live, methods=_GET),
    Route("/sheets/{draft}/send", sending.confirm, methods=_GET),
    Route("/sheets/{draft}/send", sending.send, methods=_POST),
    Route("/runs", runs.index, methods=_GET),
    Route("/runs/{work}", runs.show, methods=_GET),
    Route("/runs/{work}/live", runs.live, methods=_GET),
    Route("/runs/{work}/stop", runs.stop, methods=_POST),
    Route("/runs/{work}/answer", runs.answer, methods=_POST),
    Route("/runs/{work}/results", runs.download, methods=_GET),
    Route("/runs/{work}/correct", runs.correct, methods=_POST),
    Route("/runs/{work}/undo", runs.take_back, methods=_POST),
    Route("/health", others.health_page, methods=_GET),
    Route("/health", others.look, methods=_POST),
    Route("/template", others.template_page, methods=_GET),
    Route("/template", others.make_template, methods=_POST),
    Route("/events", others.events, methods=_GET),
    Route("/token", others.token, methods=_POST),
    Route("/looks.css", others.style, methods=_GET),
    Mount("/static", StaticFiles(directory=STATIC)),
]


def application(page: Page) -> Starlette:
    """The application of a server with this state."""
    made = Starlette(
        routes=ROUTES,
        exception_handlers={
            HTTPException: _refused,
            BulkhooksError: _failed,
            TooLarge: _too_large,
            TimeoutError: _too_slow,
            BrokenResourceError: _too_slow,
            OSError: _no_room,
            Exception: _unexpected,
        },
    )
    made.state.page = page
    return made


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    words = {404: "There is no such page.", 405: "This address takes no such request."}
    is_plain = error.detail in {"Not Found", "Method Not Allowed"}
    return _told(request, words.get(error.status_code, error.detail) if is_plain else error.detail, error.status_code)


async def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, BulkhooksError)  # noqa: S101
    return _told(request, sentence(error), 400)


async def _too_large(request: Request, error: Exception) -> Response:
    del error
    return _told(request, too_large(), 413)


async def _too_slow(request: Request, error: Exception) -> Response:
    del error
    return _told(request, "The file took too long to arrive: try again.", 408)


async def _no_room(request: Request, error: Exception) -> Response:
    return _told(request, f"The server cannot keep that: {getattr(error, 'strerror', None) or error}.", 507)


async def _unexpected(request: Request, error: Exception) -> Response:
    _log.debug("unexpected", exc_info=error)
    return _told(request, f"Something went wrong that should not have ({type(error).__name__}).", 500)


def _told(request: Request, text: str, status: int) -> Response:
    if request.headers.get("accept", "").startswith("application/json"):
        return JSONResponse({"error": text}, status)
    return shown(request, "error.html", status, reason=text)
