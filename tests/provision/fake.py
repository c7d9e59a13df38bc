"""A Nexudus of a few lines behind an injected transport, and a bench on which the engine works against it."""

from __future__ import annotations

import json
import random
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import starmap
from pathlib import Path

import anyio
import httpx
import pandas as pd

from bulkhooks.provision.forecast import forecast
from bulkhooks.provision.journal import history
from bulkhooks.provision.journal.commits import at_once
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.journal.rows import InputRow, item_rows
from bulkhooks.provision.limits.rates import parse_rates
from bulkhooks.provision.plan import make_plan, record_findings
from bulkhooks.provision.preview import preview
from bulkhooks.provision.send import resume_at, send
from bulkhooks.provision.session import Session
from bulkhooks.provision.stopping import Halt
from bulkhooks.provision.terms import AccountConfig, Terms
from bulkhooks.times import new_run_id
from bulkhooks.webhook import RESULT_COLUMNS, Status, url_key
from tests.nexudus.conftest import authorization

EPOCH = 1_800_000_000.0
"""What the clock on the wall says when the clock of the test says 0."""


# What the far end may do with a request instead of answering it as it should.


def refuse_connection(api, request):
    """Nobody listens."""
    raise httpx.ConnectError("refused", request=request)


def drop_before(api, request):
    """Hang up without having done anything."""
    raise httpx.RemoteProtocolError("closed", request=request)


def drop_after(api, request):
    """Do it, and hang up."""
    api.answer(request)
    raise httpx.ReadError("reset", request=request)


def time_out_after(api, request):
    """Do it, and never say so."""
    api.answer(request)
    raise httpx.ReadTimeout("too late", request=request)


def later(seconds):
    """Hang up without having done anything, and then, so much later, do it after all."""

    def drop(api, request):
        api.postponed.append((anyio.current_time() + seconds, request))
        raise httpx.WriteError("broken", request=request)

    return drop


def status(code, content="", **headers):
    """Answer with this status instead."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def answer(api, request):
        return httpx.Response(code, headers=headers, content=content)

    return answer


def throttle(seconds):
    """Answer as Nexudus does to one who is too fast."""
    return status(409, Retry_After=str(seconds))


def done_but(code, content=""):
    """Do it, and answer something else."""

    def answer(api, request):
        api.answer(request)
        return httpx.Response(code, content=content)

    return answer


PAGE_OF_A_PROXY = status(200, "<html><title>Welcome to the guest network</title></html>")


@dataclass
class FakeApi(httpx.AsyncBaseTransport):
    """Webhooks by id; ``next_writes`` and ``next_reads`` hold what becomes of the next requests, None for an answer.

    ``judge``, where given, says it for each request by itself. ``log`` is what came: (seconds, method, path, location).
    ``lag``: seconds after which searches show a webhook whose create was answered. ``between_pages`` is called with
    each request for a later page of a search, before it is answered.
    """

    next_writes: list = field(default_factory=list)
    next_reads: list = field(default_factory=list)
    judge: object = None
    latency: float = 0.0
    page_size: int = 500
    may_list: bool = True
    lag: float = 0.0
    between_pages: object = None
    webhooks: dict = field(default_factory=dict)
    postponed: list = field(default_factory=list)
    hidden: dict = field(default_factory=dict)
    log: list = field(default_factory=list)
    writes_at: list = field(default_factory=list)
    last_id: int = 100

    async def handle_async_request(self, request):
        location = _location(request)
        self.log.append((anyio.current_time(), request.method, request.url.path, location))
        if self.latency:
            await anyio.sleep(self.latency)
        self._catch_up()
        scripted = self.next_reads if request.method == "GET" else self.next_writes
        fate = (self.judge and self.judge(request)) or (scripted.pop(0) if scripted else None)
        if fate is not None:
            return fate(self, request)
        answer = self.answer(request)
        if self.lag and request.method == "POST":
            self.hidden[self.last_id] = anyio.current_time() + self.lag
        return answer

    async def aclose(self):
        pass

    def add(self, business_id, action, url, **fields):
        """A webhook that somebody else made; returns its id."""
        self.last_id += 1
        self.webhooks[self.last_id] = {
            "Id": self.last_id, "BusinessId": business_id, "Action": action, "URL": url, "Name": "theirs",
            "Description": None, "Active": True, "ErrorCount": 0, **fields,
        }  # fmt: skip
        return self.last_id

    def stored(self):
        """(location, event, URL) of every webhook, in order."""
        return sorted((each["BusinessId"], each["Action"], each["URL"]) for each in self.webhooks.values())

    def count(self, method, path="/api/sys/webhooks"):
        """Requests of a kind that came."""
        return sum(each[1] == method and each[2].startswith(path) for each in self.log)

    def answer(self, request):
        """As Nexudus answers."""
        number = request.url.path.rpartition("/")[2]
        if request.method == "POST":
            fields = json.loads(request.content)
            return _written(self.add(**_snake(fields)))
        if request.method == "PUT":
            record = json.loads(request.content)
            if record["Id"] not in self.webhooks:
                return httpx.Response(404, json={"Message": "not there"})
            self.webhooks[record["Id"]] = record
            return _written(record["Id"])
        if number.isdigit() and int(number) not in self.webhooks:
            return httpx.Response(404, json={"Message": "not there"})
        if request.method == "DELETE":
            self.webhooks.pop(int(number))
            return _written(int(number))
        if number.isdigit():
            return httpx.Response(200, json=self.webhooks[int(number)])
        if not self.may_list:
            return httpx.Response(401, json={"Message": "Authorization has been denied for this request."})
        return self._page(request)

    def _page(self, request):
        query = request.url.params
        if self.between_pages and int(query["page"]) > 1:
            self.between_pages(request)
        wanted, now = {"WebHook_Business": "BusinessId", "WebHook_Action": "Action"}, anyio.current_time()
        found = [
            {**each, "Description": None}
            for number, each in self.webhooks.items()
            if self.hidden.get(number, now) <= now
            and all(str(each[name]) == query[key] for key, name in wanted.items() if key in query)
        ]
        page, size = int(query["page"]), min(int(query["size"]), self.page_size)
        pages = -(-len(found) // size)
        return httpx.Response(
            200,
            json={
                "Records": found[(page - 1) * size : page * size], "CurrentPage": page, "CurrentPageSize": size,
                "TotalItems": len(found), "TotalPages": pages, "HasNextPage": page < pages,
            },
        )  # fmt: skip

    def _catch_up(self):
        now = anyio.current_time()
        due, self.postponed = (
            [each for each in self.postponed if each[0] <= now],
            [each for each in self.postponed if each[0] > now],
        )
        for _, request in due:
            self.answer(request)


def _location(request):
    if request.headers.get("Content-Type") == "application/json":
        return json.loads(request.content).get("BusinessId")
    return int(request.url.params.get("WebHook_Business", 0))


def _snake(fields):
    renamed = {"BusinessId": "business_id", "Action": "action", "URL": "url"}
    return {renamed.get(name, name): value for name, value in fields.items()}


def _written(webhook_id):
    return httpx.Response(200, json={"Status": 200, "Value": {"Id": webhook_id}, "Errors": None, "WasSuccessful": True})


@dataclass(frozen=True)
class Row:
    """A line of an expansion."""

    business_id: int = 1001
    action: int = 6
    url: str = "https://hooks.example.com/in"
    name: str = ""
    description: str = ""
    active: int = -1
    replaces: str = ""
    known_id: int = 0
    known_doubt: bool = False
    status: str = Status.PLANNED
    account: str = "default"


def rows_at(*business_ids, **fields):
    """A row for each of these locations."""
    return [Row(business_id, **fields) for business_id in business_ids]


def expansion(rows):
    """The rows as ``Desired.rows`` has them."""
    frame = pd.DataFrame(
        {
            "row": range(len(rows)),
            "place": [f"hooks.csv:{number + 2}" for number in range(len(rows))],
            "account": [row.account for row in rows],
            "business_id": [row.business_id for row in rows],
            "location": [str(row.business_id) for row in rows],
            "action": [row.action for row in rows],
            "url": [row.url for row in rows],
            "url_key": [url_key(row.url) for row in rows],
            "name": [row.name or f"{row.business_id} - {row.action}" for row in rows],
            "description": [row.description for row in rows],
            "active": [row.active for row in rows],
            "replaces": [row.replaces for row in rows],
            "known_id": [row.known_id for row in rows],
            "known_doubt": [row.known_doubt for row in rows],
            "status": [str(row.status) for row in rows],
            "error_code": ["" for _ in rows],
            "error": ["" for _ in rows],
            "problems": [() for _ in rows],
            "name_given": [bool(row.name) for row in rows],
        }
    )
    texts = ["place", "account", "location", "url", "url_key", "name", "description", "replaces", "status"]
    return frame.astype({**dict.fromkeys([*texts, "error_code", "error"], object), "active": "int8"})


@dataclass
class Ran:
    """What a run came to: its rows as the results have them, and what the session says of itself."""

    rows: list
    halts: dict
    resume_at: float | None
    traffic: object
    plan: object
    cap_left: object
    seconds: float

    @property
    def statuses(self):
        return [row["Status"] for row in self.rows]

    @property
    def ids(self):
        return [row["WebhookId"] for row in self.rows]

    def told(self, column):
        return [row[column] for row in self.rows]


class Bench:
    """The engine over one journal: the stages of a run as the job composes them, without sheets.

    ``apis`` are the far ends, by account; options are those of the command line. The journal is a file of the folder,
    or what ``Bench.shared`` says where that is set (``on_both_kinds``).
    """

    shared: str | None = None

    def __init__(self, folder: Path, api, **options) -> None:
        self.path = self.shared or folder / "journal.db"
        self.apis = api if isinstance(api, dict) else {"default": api}
        self.options = options
        self.session = None

    @contextmanager
    def journal(self):
        # Written at once also on a server: a clock that jumps would not wait for a thread. And nobody renews a lease
        # in time by the clock of the server while that of the test jumps.
        with Journal(self.path, at_once) as journal:
            journal.database.lease_for(30 * 86400.0)
            yield journal

    async def run(self, rows, **changes):
        """One run over the rows."""
        told = {**self.options, **changes}
        start = anyio.current_time()
        with self.journal() as journal:
            async with Session(journal, _terms(told, Far(self.apis))) as session:
                self.session = session
                if "when_open" in told:
                    told["when_open"](session)
                for name in dict.fromkeys(row.account for row in rows) or ("default",):
                    await session.open(_account(name, told), lock=True)
                return await self._run(journal, session, rows, told, start)

    async def plan(self, rows, **changes):
        """What a run would do now, and what that takes."""
        told = {**self.options, **changes}
        with self.journal() as journal:
            async with Session(journal, _terms(told, Far(self.apis))) as session:
                for name in dict.fromkeys(row.account for row in rows):
                    await session.open(_account(name, told))
                plan = await _planned(session.accounts, rows, told)
                await preview(plan, session.accounts)
                return plan, forecast(plan, session.accounts)

    async def _run(self, journal, session, rows, told, start):
        accounts, wall = session.accounts, session.wall
        plan = await _planned(accounts, rows, told)
        record_findings(accounts, plan)
        numbers = {name: account.id for name, account in accounts.items()}
        run = journal.begin(
            new_run_id(wall()), command="run", job="", inputs=["hooks.csv"], accounts=numbers.values(), at=wall()
        )
        journal.plan(
            run,
            columns=[],
            facts={},
            rows=starmap(_as_written, enumerate(rows)),
            items=item_rows(plan.rows, plan.pruned, numbers, size=len(plan.rows)),
        )
        await send(accounts, run, unlisted=plan.unlisted, canary=told.get("canary", 0), ended=lambda outcome: None)
        found = [dict(zip(RESULT_COLUMNS, row.cells, strict=True)) for row in history.results(journal, run)]
        journal.finish(run, {"errors": []}, wall())
        return Ran(
            found,
            {name: account.halted or account.closed for name, account in accounts.items()},
            resume_at(accounts.values()),
            session.traffic,
            plan,
            [account.writes_left() for account in accounts.values()],
            anyio.current_time() - start,
        )


async def _planned(accounts, rows, told):
    return await make_plan(
        accounts,
        expansion(rows),
        if_exists=told.get("if_exists", "skip"),
        resend_unknown=told.get("resend_unknown", False),
        max_deletes=told.get("max_deletes", 1000) if told.get("prune") else None,
    )


def _as_written(number, row):
    """A row of the input."""
    return InputRow(
        number, str(row.business_id), "", str(row.action), row.url, row.name, row.description, "", row.account, "[]"
    )


def wall():
    return EPOCH + anyio.current_time()


def interrupt(session):
    """What the first signal does."""
    session.halt(Halt("stopped by SIGINT"))


@dataclass
class Far(httpx.AsyncBaseTransport):
    """Brings each request to the far end of its account, which its host names."""

    apis: dict

    async def handle_async_request(self, request):
        return await self.apis[request.url.host.partition(".")[0]].handle_async_request(request)


def _terms(told, transport):
    return Terms(
        transport=transport,
        draw=random.Random(1),
        wall=told.get("wall", wall),
        settle=told.get("settle", 30),
        concurrency=told.get("concurrency", 8),
        retries=told.get("retries", 5),
        give_up_after=told.get("give_up_after", 300),
        patience=float("inf") if told.get("wait") else 900,
        max_runtime=told.get("max_runtime"),
        limit=told.get("limit"),
    )


def _account(name, told):
    return AccountConfig(
        name,
        f"https://{name}.example.com",
        told.get("authorization") or authorization({"NEXUDUS_TOKEN": "token-of-tests"}),
        parse_rates(told.get("rate", ("none",))),
        parse_rates(told.get("request_rate", ("none",))),
    )
