"""The table of failures: what became of a request, by what came back.

=======================================================  ==========================================
nothing has left: no connection, no TLS, no proxy        ``NotSent`` (``transport``)
no whole answer: cut, unreadable, too late, too long     ``InDoubt`` (``transport``)
2xx with ``WasSuccessful`` false                         ``Invalid``
2xx that cannot be read, or says neither yes nor no      ``InDoubt``
3xx                                                      ``Refused``, and not followed
409 with Retry-After, 429                                ``Throttled``
407                                                      ``Refused``
any other 4xx whose body is a page of HTML               ``InDoubt``: the API did not answer
400, 401, 403, 404                                       ``Invalid``, ``Unauthorized``, ``Forbidden``, ``NotFound``
409 without                                              ``Conflict``
any other 4xx                                            ``Refused``
503 with Retry-After                                     ``Throttled``, but no sign of life
any other 5xx                                            ``InDoubt``
=======================================================  ==========================================

What is not in the table is in doubt. A body that begins with ``<`` is a page of HTML, whatever its Content-Type says: a
firewall's, a proxy's, a login's, and never the API's. Sentences show no query of a URL and no page of HTML.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TypeVar

from bulkhooks.errors import (
    ApiError,
    Conflict,
    Forbidden,
    InDoubt,
    Invalid,
    NotFound,
    Refused,
    Throttled,
    Unauthorized,
)
from bulkhooks.nexudus.messages import one_line, page_title
from bulkhooks.nexudus.models import Written
from bulkhooks.nexudus.transport import Response
from bulkhooks.redact import shown_url

T = TypeVar("T")

_FINAL: dict[int, type[Refused]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
}

_MARK = b"\xef\xbb\xbf"

LONGEST_WAIT = 86_400.0
"""Seconds: no limit of the API is longer than a day, so no Retry-After is believed beyond it."""


def refusal(answer: Response, now: float) -> ApiError | None:
    """What an answer other than 2xx means; None for 2xx. ``now`` is the time in seconds since 1970, for Retry-After."""
    status = answer.status_code
    if 200 <= status < 300:
        return None
    named = f"{status} {_phrase(status)}".strip()
    if status == 429 or (status in {409, 503} and "Retry-After" in answer.headers):
        wait = retry_after(answer, now)
        asked = "" if wait is None else f" for {wait:g} s"
        return Throttled(f"the API asks to wait{asked} ({named})", status, wait, alive=status != 503)
    if 300 <= status < 400:
        target = shown_url(answer.headers.get("Location", ""))
        where = f" to {target}" if target else ""
        return Refused(f"the API redirects{where} ({named}), which is not followed: check --base-url", status)
    if status == 407:
        return Refused(
            f"the proxy asks for a user name and password ({named}): put them into its address in HTTP_PROXY",
            status,
        )
    return _failure(answer, named)


def _failure(answer: Response, named: str) -> ApiError:
    """What a 4xx or 5xx means that asks for no patience."""
    status = answer.status_code
    if is_web_page(answer.content) and status < 500:
        return InDoubt(f"{named}{_in_its_place(answer.content)}", status)
    message = _message(answer)
    if status == 400 and message:
        return Invalid(message, status)
    kind = _FINAL.get(status, Refused) if 400 <= status < 500 else InDoubt
    return kind(f"the API answered {named}: {message}" if message else f"the API answered {named}", status)


def written(answer: Response) -> Written:
    """What a write's 2xx says that was done. ``WasSuccessful`` decides; where it is missing, an id without errors does.

    Raises ``Invalid`` for a no, and ``InDoubt`` for what is neither yes nor no.
    """
    status = answer.status_code
    try:
        result = Written.model_validate_json(answer.content)
    except ValueError:
        raise unreadable(answer) from None
    if result.was_successful is False:
        raise Invalid(one_line(result.reasons) or f"the API says that it failed ({status}), without a reason", status)
    if result.was_successful is None and (result.id is None or result.errors):
        raise InDoubt(f"the API answered {status} without saying whether it was done", status)
    return result


def readable(parse: Callable[[bytes], T]) -> Callable[[Response], T]:
    """A reader of answers from one of contents, which raises ``ValueError`` where it can make nothing of them.

    Such an answer may still say that the call failed: then it raises ``Invalid``, else ``InDoubt``.
    """

    def read(answer: Response) -> T:
        with suppress(ValueError, RecursionError):
            return parse(answer.content)
        written(answer)
        raise unreadable(answer)

    return read


def unreadable(answer: Response) -> InDoubt:
    """A 2xx that is not what the API answers."""
    sentence = f"the API's answer ({answer.status_code}) cannot be read"
    if is_web_page(answer.content):
        sentence += _in_its_place(answer.content)
    return InDoubt(sentence, answer.status_code)


def is_web_page(content: bytes) -> bool:
    """Whether a body is a page of HTML: it begins with ``<``, after white space and a byte order mark."""
    return content.removeprefix(_MARK).lstrip(b" \t\r\n\f\v\0").startswith(b"<")


def without_mark(answer: Response) -> Response:
    """The answer without the byte order mark that some servers put before their JSON."""
    if not answer.content.startswith(_MARK):
        return answer
    return replace(answer, content=answer.content.removeprefix(_MARK))


def _in_its_place(content: bytes) -> str:
    title = page_title(content)
    named = f" ({title!r})" if title else ""
    return f": it is a web page{named}, so something between here and the API answers in its place"


def retry_after(answer: Response, now: float) -> float | None:
    """Seconds to wait as the header Retry-After has them, as a number or as a date; None where it names no time.

    A date is taken against the server's own Date, for the clocks may differ.
    """
    text = answer.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d+(\.\d*)?", text, re.ASCII):
        seconds = float(text)
    else:
        until = _timestamp(text)
        if until is None:
            return None
        there = _timestamp(answer.headers.get("Date", ""))
        seconds = until - (now if there is None else there)
    return min(seconds, LONGEST_WAIT) if seconds > 0 else None


def _message(answer: Response) -> str:
    """The reasons in the API's own form; '' where there are none."""
    try:
        return one_line(Written.model_validate_json(answer.content).reasons)
    except ValueError:
        page = page_title(answer.content)
        return f"a web page, {page!r}" if page else ""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _timestamp(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError):
        return None
