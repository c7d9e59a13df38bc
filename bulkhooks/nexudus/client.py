"""The API, one method a request. Nothing here waits, repeats or decides; every failure is one of ``errors.py``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import urlencode

from pydantic import SecretStr

from bulkhooks.errors import ApiError, CredentialsError, InDoubt, NotSent, Refused, Throttled, Unauthorized, UsageError
from bulkhooks.nexudus.credentials import Authorization
from bulkhooks.nexudus.messages import shortened
from bulkhooks.nexudus.models import Business, Record
from bulkhooks.nexudus.pages import Page, businesses_page, is_text, webhooks_page
from bulkhooks.nexudus.responses import readable, refusal, without_mark, written
from bulkhooks.nexudus.sign_in import advice, refreshing, signing_in, token_in
from bulkhooks.nexudus.token_command import printed_token
from bulkhooks.nexudus.tokens import TokenRefused, Tokens
from bulkhooks.nexudus.transport import URL, BeforeSend, Request, Response, Route, Transport, open_route, url_of
from bulkhooks.version import VERSION

_WEBHOOKS = "/api/sys/webhooks"
_BUSINESSES = "/api/sys/businesses"
_SIGN_IN = "/api/token"

_HEADERS = {"User-Agent": f"bulkhooks/{VERSION}", "Accept": "application/json", "Accept-Encoding": "gzip"}

_BY_ID = {"orderBy": "Id", "dir": "Ascending"}
"""Without an order, pages may show a record twice and another not at all."""

LONGEST_ANSWER = 16 * 2**20
"""Bytes: a page of 500 webhooks takes less than a tenth of it."""

T = TypeVar("T")
E = TypeVar("E", bound=ApiError)


class NexudusClient:
    """One account's client, used as an asynchronous context. ``timeout`` is in seconds, for each step of a request.

    A ``transport`` that is given is used and left open; otherwise there is one of its own. Calls raise ``NotSent``,
    ``InDoubt``, ``Throttled`` or a kind of ``Refused``. While ``needs_token``, the caller has to ``fetch_token`` first.
    Raises ``UsageError`` where ``base_url`` is no address.
    """

    def __init__(
        self,
        base_url: str,
        authorization: Authorization,
        *,
        timeout: float,
        transport: Transport | None = None,
    ) -> None:
        try:
            self._base_url = url_of(base_url)
        except ValueError:
            raise UsageError(f"--base-url {base_url!r} is not an address such as https://spaces.nexudus.com") from None
        self._webhooks = self._url(_WEBHOOKS)
        self._authorization = authorization
        self._tokens = Tokens(authorization)
        self._timeout = timeout
        self._is_lent = transport is not None
        self._route = None if transport is None else Route(transport)

    async def __aenter__(self) -> NexudusClient:
        if self._route is None:
            self._route = open_route(self._base_url)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._route is not None and not self._is_lent:
            await self._route.aclose()
            self._route = None

    # The sign-in

    @property
    def needs_token(self) -> bool:
        """Whether a token has to be fetched before anything else is sent."""
        return self._tokens.needed

    @property
    def token_is_printed(self) -> bool:
        """Whether a command on this machine gives the token, and not the API."""
        return self._authorization.command is not None

    def should_resend(self, error: Unauthorized, *, resent: int) -> bool:
        """Whether to send again what was answered so, after fetching a token if now one is needed.

        ``resent`` says how often it has been sent again already (``Tokens.should_resend``).
        """
        return isinstance(error, TokenRefused) and self._tokens.should_resend(error, resent=resent)

    async def fetch_token(self) -> None:
        """Ask for a token: by the refresh token while there is one, else by user name and password, or of the command.

        Where the refresh token is not taken, or not answered, it is forgotten, and a token is still needed: call again.
        Raises ``CredentialsError`` where the credentials are not taken.
        """
        known = self._authorization
        refresh = self._tokens.refresh
        if known.command is not None:
            self._tokens.received(await printed_token(known.command, known.variables))
        elif refresh is not None:
            await self._refresh(refresh)
        else:
            await self._sign_in()

    async def _refresh(self, refresh: SecretStr) -> None:
        try:
            await self._ask_for_token(refreshing(self._url(_SIGN_IN), self._authorization, refresh))
        except Refused:
            self._tokens.forget_refresh()
        except (InDoubt, Throttled) as failure:
            # Whatever keeps the API from renewing a token need not keep it from giving one for the password.
            if isinstance(failure, InDoubt) or not failure.alive:
                self._tokens.forget_refresh()
            raise

    async def _sign_in(self) -> None:
        known = self._authorization
        try:
            await self._ask_for_token(signing_in(self._url(_SIGN_IN), known))
        except Refused as error:
            raise CredentialsError(f"the API does not take {known.variables}: {error}{advice(known)}") from None

    async def _ask_for_token(self, request: Request) -> None:
        request.headers.update(_HEADERS)
        answer = await self._exchange(request)
        received = self._read(answer, token_in)
        self._tokens.received(received.access_token, received.expires_in, received.refresh_token)

    # Webhooks and locations

    # ``before_send`` of the writes is awaited right before the first byte leaves: what it raises comes out as it is,
    # and nothing was sent.

    async def create(self, body: Mapping[str, object], before_send: BeforeSend | None = None) -> int:
        """Create a webhook; returns its id. Raises ``InDoubt`` also where the answer has none."""
        answer = await self._call("POST", self._webhooks, body, before_send)
        new = self._read(answer, written).id
        if new is None:
            raise InDoubt(f"the API answered {answer.status_code} and success, but named no id", answer.status_code)
        return new

    async def update(self, record: Mapping[str, object], before_send: BeforeSend | None = None) -> None:
        """Put a full record back; fields that are missing in it are cleared (bulkhooks/docs/nexudus.md, Records)."""
        self._read(await self._call("PUT", self._webhooks, record, before_send), written)

    async def delete(self, webhook_id: int, before_send: BeforeSend | None = None) -> None:
        """Delete a webhook."""
        url = self._url(f"{_WEBHOOKS}/{webhook_id}")
        self._read(await self._call("DELETE", url, None, before_send), written)

    async def read(self, webhook_id: int) -> dict[str, object]:
        """One webhook with every field, as the API names them. Raises ``Refused`` where the answer holds another."""
        answer = await self._call("GET", self._url(f"{_WEBHOOKS}/{webhook_id}"))
        return self._read(answer, readable(lambda content: _record(content, webhook_id)))

    async def search(
        self, page: int, size: int, *, business_id: int | None = None, action: int | None = None
    ) -> Page[Record]:
        """One page of the webhooks by id, of all or of one location and event. Pages begin at 1."""
        url = self._url(_WEBHOOKS, page=page, size=size, **_BY_ID, WebHook_Business=business_id, WebHook_Action=action)
        return self._read(await self._call("GET", url), readable(webhooks_page))

    async def businesses(self, page: int, size: int, *, root: int | None = None) -> Page[Business]:
        """One page of the locations by id, of all or of those of a network. Pages begin at 1."""
        url = self._url(_BUSINESSES, page=page, size=size, **_BY_ID, Business_RootLocation=root)
        return self._read(await self._call("GET", url), readable(businesses_page))

    # One request

    async def _call(
        self,
        method: str,
        url: URL,
        body: Mapping[str, object] | None = None,
        before_send: BeforeSend | None = None,
    ) -> Response:
        """The answer to a request, if it is a 2xx."""
        token = self._tokens.number
        answer = await self._exchange(self._request(method, url, body), before_send)
        failure = refusal(answer, time.time())
        if failure is None or not isinstance(failure, Unauthorized | InDoubt | Throttled):
            self._tokens.taken(token)
        if failure is None:
            return answer
        failure = self._redacted(failure)
        if isinstance(failure, Unauthorized):
            failure = TokenRefused(f"{failure}; {self._hint()}", token=token, method=method)
        raise failure

    def _hint(self) -> str:
        return f"{self._authorization.variables} may be wrong or has expired, or a role is missing"

    def _request(self, method: str, url: URL, body: Mapping[str, object] | None) -> Request:
        headers = dict(_HEADERS)
        if self._tokens.header is not None:
            headers["Authorization"] = self._tokens.header.get_secret_value()
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode("ascii")
        return Request(method, url, headers=headers, content=content)

    def _url(self, path: str, **query: str | int | None) -> URL:
        named = urlencode({name: value for name, value in query.items() if value is not None})
        raw_path = self._base_url.raw_path.rstrip(b"/") + f"{path}?{named}".rstrip("?").encode("ascii")
        return self._base_url.copy_with(raw_path=raw_path)

    async def _exchange(self, request: Request, before_send: BeforeSend | None = None) -> Response:
        """Send a request and read its whole answer, whatever it says; ``NotSent`` or ``InDoubt`` where none comes."""
        if self._route is None:
            raise RuntimeError("the client is not open: use it as an asynchronous context")
        try:
            return without_mark(
                await self._route.exchange(
                    request,
                    timeout=self._timeout,
                    total=2 * self._timeout,
                    longest=LONGEST_ANSWER,
                    before_send=before_send,
                )
            )
        except (NotSent, InDoubt) as failure:
            raise self._redacted(failure) from failure.__cause__

    def _read(self, answer: Response, meaning: Callable[[Response], T]) -> T:
        """What an answer says, read by ``meaning``."""
        try:
            return meaning(answer)
        except ApiError as failure:
            raise self._redacted(failure) from None

    def _redacted(self, failure: E) -> E:
        """The failure as it may be shown: short, and without the credentials that the other end may have repeated."""
        failure.args = (shortened(self._tokens.redacted(str(failure))),)
        failure.__traceback__ = failure.__context__ = None
        return failure


def _record(content: bytes, webhook_id: int) -> dict[str, object]:
    record = json.loads(content)
    if not isinstance(record, dict) or "Id" not in record:
        raise ValueError("no record")
    if record["Id"] != webhook_id:
        raise Refused(f"the API was asked for webhook {webhook_id} and answered with {record['Id']!r:.40}", 200)
    if not is_text(record):
        raise Refused(f"webhook {webhook_id} cannot be read: it holds text that is no Unicode", 200)
    return record
