"""The calls: what each answers once a request has been let in (bulkhooks/docs/nexudus.md)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from bulkhooks import actions
from bulkhooks.sandbox.delivery import Delivery
from bulkhooks.sandbox.locations import Locations
from bulkhooks.sandbox.loopback import is_own_origin
from bulkhooks.sandbox.search import find, page
from bulkhooks.sandbox.store import USER, Record, Store, timestamp
from bulkhooks.sandbox.tokens import Refused, Tokens
from bulkhooks.sandbox.validation import REQUIRED, Rejected, id_of, read_object, webhook_fields

WEBHOOKS = "/api/sys/webhooks"
BUSINESSES = "/api/sys/businesses"
TOKEN = "/api/token"  # noqa: S105 (a path)


def answer(content: object, status: int = 200) -> Response:
    """A JSON response; in ASCII, for a name may hold a lone surrogate, which UTF-8 refuses."""
    return Response(json.dumps(content).encode("ascii"), status, media_type="application/json")


def failure(status: int, message: str) -> Response:
    """The response to a request that is refused, in the shape of the API's errors; ``message`` is one sentence."""
    return answer({"Message": message, "Value": None, "Errors": None, "WasSuccessful": False}, status)


class Calls:
    """The calls over one store; ``router`` is the application without limits, faults and permissions."""

    def __init__(
        self,
        store: Store,
        locations: Locations,
        tokens: Tokens,
        delivery: Delivery,
        stats: Callable[[], dict[str, object]],
    ) -> None:
        self._store = store
        self._locations = locations
        self._tokens = tokens
        self._delivery = delivery
        self._stats = stats
        self.router = Router(
            [
                Route(WEBHOOKS, self._create, methods=["POST"]),
                Route(WEBHOOKS, self._search, methods=["GET"]),
                Route(WEBHOOKS, self._update, methods=["PUT"]),
                Route(WEBHOOKS + "/{id}", self._read, methods=["GET"]),
                Route(WEBHOOKS + "/{id}", self._delete, methods=["DELETE"]),
                Route(BUSINESSES, self._businesses, methods=["GET"]),
                Route(TOKEN, self._token, methods=["POST"]),
                Route("/sandbox/events", self._event, methods=["POST"]),
                Route("/sandbox/stats", self._show_stats, methods=["GET"]),
                Route("/sandbox/webhooks", self._show_webhooks, methods=["GET"]),
            ],
            redirect_slashes=False,
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _: object) -> AsyncIterator[None]:
        yield
        await self._delivery.stop()

    async def _create(self, request: Request) -> Response:
        fields = webhook_fields(read_object(await request.body()), self._locations)
        if fields["Active"] is None:
            fields["Active"] = True
        return _written(self._store.create(fields), "created")

    async def _update(self, request: Request) -> Response:
        body = read_object(await request.body())
        webhook_id = id_of(body)
        if self._store.get(webhook_id) is None:
            return _unknown(webhook_id)
        fields = webhook_fields(body, self._locations)
        # A PUT replaces: what it leaves out is cleared, and a switch that is not there is off.
        fields["Active"] = bool(fields["Active"])
        return _written(
            self._store.update(webhook_id, {**fields, "UpdatedOn": timestamp(), "UpdatedBy": USER}), "updated"
        )

    async def _delete(self, request: Request) -> Response:
        record = self._named(request)
        if record is None:
            return _unknown(request.path_params["id"])
        self._store.delete(record["Id"])
        return _written(record, "deleted")

    async def _read(self, request: Request) -> Response:
        record = self._named(request)
        return _unknown(request.path_params["id"]) if record is None else answer(record)

    async def _search(self, request: Request) -> Response:
        query = dict(request.query_params)
        location = query.get("WebHook_Business", "").strip()
        records: Collection[Record] = self._store.at(int(location)) if _is_id(location) else self._store.all()
        return _page(records, query, "WebHook_")

    async def _businesses(self, request: Request) -> Response:
        return _page(self._locations.records(), dict(request.query_params), "Business_")

    async def _token(self, request: Request) -> Response:
        try:
            given = self._tokens.sign_in(
                request.headers.get("content-type", ""), await request.body(), request.headers.get("client_id", "")
            )
        except Refused as refused:
            return answer({"error": refused.error, "error_description": str(refused)}, 400)
        return answer(given)

    async def _event(self, request: Request) -> Response:
        # A page in a browser may send a form to any server, and JSON only where that server allows it.
        if not is_own_origin(request.headers.get("origin", ""), request.headers.get("host", "")):
            return failure(403, "Events are taken from this machine's own programs, not from a page of another origin.")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return failure(415, "Send the event as JSON, with Content-Type: application/json.")
        body = read_object(await request.body())
        business_id, action = body.get("BusinessId"), body.get("Action")
        numbers = actions.match(str(action)) if isinstance(action, str | int) else []
        record = body.get("Record", {})
        errors = []
        if not isinstance(business_id, int) or isinstance(business_id, bool):
            errors.append(("BusinessId", REQUIRED if business_id is None else "must be an integer", business_id))
        if len(numbers) != 1:
            errors.append(("Action", REQUIRED if action is None else "must be one event, by number or name", action))
        if not isinstance(record, dict):
            errors.append(("Record", "must be a JSON object", record))
        if errors:
            raise Rejected(*errors)
        ids = self._delivery.fire(int(business_id or 0), numbers[0], record)
        return answer({"Fired": len(ids), "Webhooks": ids})

    async def _show_stats(self, _: Request) -> Response:
        return answer(self._stats())

    async def _show_webhooks(self, _: Request) -> Response:
        return answer(list(self._store.all()))

    def _named(self, request: Request) -> Record | None:
        text = request.path_params["id"]
        return self._store.get(int(text)) if _is_id(text) else None


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 20


def _page(records: Collection[Record], query: dict[str, str], prefix: str) -> Response:
    return answer(page(find(records, query, prefix), query))


def _written(record: Record, done: str) -> Response:
    """The answer to a write that succeeded (bulkhooks/docs/nexudus.md)."""
    return answer(
        {
            "Status": 200,
            "Message": f"WebHook was successfully {done}.",
            "Value": {"Id": record["Id"]},
            "OpenInDialog": False,
            "OpenInWindow": False,
            "RedirectURL": None,
            "JavaScript": None,
            "UpdatedOn": record["UpdatedOn"],
            "UpdatedBy": record["UpdatedBy"],
            "Errors": None,
            "WasSuccessful": True,
        }
    )


def _unknown(webhook_id: object) -> Response:
    return failure(404, f"There is no WebHook {webhook_id}.")
