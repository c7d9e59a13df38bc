"""The sign-in at ``/api/token``: form-encoded OAuth (bulkhooks/docs/nexudus.md, Authentication)."""

from __future__ import annotations

import time
from urllib.parse import urlencode

from pydantic import SecretStr

from bulkhooks.errors import Refused
from bulkhooks.nexudus.credentials import Authorization, bare_token
from bulkhooks.nexudus.messages import one_line
from bulkhooks.nexudus.models import SignInRefused, TokenAnswer
from bulkhooks.nexudus.responses import refusal, unreadable
from bulkhooks.nexudus.transport import URL, Request, Response


def signing_in(url: URL, known: Authorization) -> Request:
    """The request for a token by user name and password, with the second factor where there is one."""
    return _request(
        url, {}, grant_type=SecretStr("password"), username=known.username, password=known.password, totp=known.code()
    )


def refreshing(url: URL, known: Authorization, refresh: SecretStr) -> Request:
    """The request for another token by the refresh token; ``client_id`` is the user's name where none was passed."""
    headers = {} if known.username is None else {"client_id": known.username.get_secret_value().encode()}
    return _request(url, headers, grant_type=SecretStr("refresh_token"), refresh_token=refresh)


def token_in(answer: Response) -> TokenAnswer:
    """The token that an answer brings. Raises ``Refused`` with the API's reason, or what else the answer means."""
    failure = refusal(answer, time.time())
    if isinstance(failure, Refused):
        raise Refused(_reason(answer) or str(failure), answer.status_code)
    if failure is not None:
        raise failure
    received = _received(answer)
    token = received and bare_token(received.access_token)
    if received is None or token is None:
        raise unreadable(answer)
    return received.model_copy(update={"access_token": token})


def advice(known: Authorization) -> str:
    """What else to look at where a sign-in is refused."""
    if known.totp_secret is not None:
        return "; check NEXUDUS_TOTP_SECRET and the clock of this machine too"
    if known.totp is not None:
        return "; a code in NEXUDUS_TOTP is good for seconds only: for unattended runs set NEXUDUS_TOTP_SECRET"
    return ""


def _request(url: URL, headers: dict[str, bytes], **form: SecretStr | None) -> Request:
    fields = {name: value.get_secret_value() for name, value in form.items() if value is not None}
    return Request(
        "POST",
        url,
        content=urlencode(fields).encode("ascii"),
        headers={b"Content-Type": b"application/x-www-form-urlencoded", **{k.encode(): v for k, v in headers.items()}},
    )


def _received(answer: Response) -> TokenAnswer | None:
    try:
        return TokenAnswer.model_validate_json(answer.content)
    except ValueError:
        return None


def _reason(answer: Response) -> str:
    try:
        refusal = SignInRefused.model_validate_json(answer.content)
    except ValueError:
        return ""
    return one_line(refusal.error_description or refusal.error)
