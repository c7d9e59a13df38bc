"""What all requests share: the job they begin with, who is there, what is under way, and how an answer looks."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from anyio import to_thread
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from bulkhooks.commands.context import target
from bulkhooks.config.job import Job
from bulkhooks.errors import BulkhooksError
from bulkhooks.report import many
from bulkhooks.sheets.writing.advice import VERDICTS, in_order
from bulkhooks.sheets.writing.style import LOOKS
from bulkhooks.temporary import check_temporary_folder
from bulkhooks.times import duration, local_time, moment
from bulkhooks.web.drafts import Draft, Drafts
from bulkhooks.web.people import Person
from bulkhooks.web.works import Work, Works

STATIC = Path(__file__).parent / "static"
ROWS_ON_A_PAGE = 100


@dataclass(frozen=True, slots=True)
class Page:
    """The state of the server. ``job`` is what every command of the page begins with."""

    job: Job
    drafts: Drafts
    works: Works
    is_shared: bool
    """Whether people are told apart by the sign-in in front of it."""

    def job_of(self, person: Person) -> Job:
        """The job with who asks for it, and the token that they have typed in."""
        job = dataclasses.replace(self.job, user=person.name) if person.name else self.job
        if not person.token or job.sandbox:
            return job
        kept = {
            name: text
            for name, text in os.environ.items()
            if not name.startswith("NEXUDUS_") or name == "NEXUDUS_BASE_URL"
        }
        return dataclasses.replace(job, environment=kept | {"NEXUDUS_TOKEN": person.token}, auth="bearer")

    @property
    def server(self) -> str:
        """The server that everything goes to; that of a rehearsal begins with REHEARSAL."""
        return target(self.job, [self.job.account])


def page_of(request: Request) -> Page:
    """The state of the server."""
    found: Page = request.app.state.page
    return found


def person_of(request: Request) -> Person:
    """Who asks."""
    person: Person = request.scope["person"]
    return person


def draft_of(request: Request) -> Draft:
    """The file that a request is about. Raises ``HTTPException`` where there is none that the person may see."""
    draft = page_of(request).drafts.get(request.path_params["draft"], person_of(request).id)
    if draft is None:
        raise HTTPException(
            404, "This file is not here any more: it was run to its end, removed, or is somebody else's."
        )
    return draft


def work_of(request: Request, *kinds: str) -> Work | None:
    """The work of these kinds that a request is about; None where it is none, or over for long."""
    work = page_of(request).works.get(request.path_params["work"])
    return work if work is not None and work.kind in kinds else None


async def fields_of(request: Request) -> dict[str, str]:
    """What a form sent, as text."""
    async with request.form(max_files=0, max_fields=500) as form:
        return {name: value for name, value in form.multi_items() if isinstance(value, str)}


def shown(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """A template as an answer."""
    page, person = page_of(request), person_of(request)
    own = {
        "page": page, "person": person, "path": request.url.path, "is_rehearsal": page.job.sandbox,
    }  # fmt: skip
    return HTMLResponse(_TEMPLATES.get_template(template).render(own | values), status)


def part(template: str, **values: Any) -> str:
    """A template as text."""
    return _TEMPLATES.get_template(template).render(values)


def paged(count: int, asked: str) -> tuple[int, int, slice]:
    """Which page of so many rows somebody asks for, of how many, and the rows that are on it."""
    pages = max(1, -(-count // ROWS_ON_A_PAGE))
    number = min(pages, max(1, int(asked))) if asked.isdecimal() and len(asked) < 9 else 1
    return number, pages, slice((number - 1) * ROWS_ON_A_PAGE, number * ROWS_ON_A_PAGE)


async def made(make: Callable[[Path], tuple[Path, str]], within: Path | None = None) -> Response:
    """A file as an answer: ``make`` writes it into an empty folder and says where, and what it is called.

    The folder, in ``within`` or where temporary ones are, goes with the answer. Raises what ``make`` raises.
    """

    def work() -> tuple[Path, str]:
        check_temporary_folder()
        folder = Path(tempfile.mkdtemp(prefix="bulkhooks-", dir=within))
        try:
            return make(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    path, name = await to_thread.run_sync(work)
    return FileResponse(path, filename=name, background=BackgroundTask(shutil.rmtree, path.parent, True))


def sentence(error: BulkhooksError, folder: Path | None = None) -> str:
    """An error for a person at the page, without the folder that they do not know."""
    text = str(error)
    return text.replace(f"{folder}{os.sep}corrected{os.sep}", "").replace(f"{folder}{os.sep}", "") if folder else text


def looks() -> str:
    """The colours and signs of the workbook, as style."""
    lines = [
        f".v-{name} {{ background: {look.fill}; color: {look.ink};"
        f"{' font-weight: 600;' if look.bold else ''}{' font-style: italic;' if look.italic else ''} }}\n"
        f'.v-{name}::before {{ content: "{look.sign} " / ""; }}'
        for name, look in LOOKS.items()
    ]
    return "\n".join(lines) + "\n"


def _look(verdict: str) -> str:
    return VERDICTS[verdict].look if verdict in VERDICTS else "same"


def _meaning(verdict: str) -> str:
    return VERDICTS[verdict].meaning if verdict in VERDICTS else ""


def _at(text: str | None) -> str:
    return local_time(moment(text)) if text else ""


def _after(seconds: float) -> str:
    return local_time(time.time() + seconds)


_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {
    "look": _look, "meaning": _meaning, "many": many, "duration": duration, "at": _at, "after": _after,
    "sentence": sentence, "in_order": in_order,
}  # fmt: skip
_TEMPLATES.filters["n"] = lambda number: f"{number:,}"
