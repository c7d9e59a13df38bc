"""The sign-in: what is sent for a token, when it is renewed, and that many workers ask for one token once."""

from __future__ import annotations

import sys
from urllib.parse import parse_qs

import anyio
import httpx
import pytest

from bulkhooks.errors import CredentialsError, InDoubt, NotSent, Throttled, Unauthorized
from bulkhooks.nexudus.tokens import QUIET
from bulkhooks.provision.account import Account
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.provision.stopping import Budget
from bulkhooks.provision.terms import AccountConfig, Terms
from tests.nexudus.conftest import BODY, CREATED, authorization, client_of

pytestmark = pytest.mark.anyio

PAIR = {"NEXUDUS_USERNAME": "admin@example.com", "NEXUDUS_PASSWORD": "pass&word=ü"}
EMPTY = {"Records": [], "TotalItems": 0}


class Api:
    """A Nexudus that hands out tokens ``t1``, ``t2``, … and takes those in ``good``; forms and bearers are kept."""

    def __init__(self, *, expires_in: object = 604799, refreshes: bool = True, refused: object = None) -> None:
        self.expires_in = expires_in
        self.refreshes = refreshes
        self.refused = refused or httpx.Response(400, json={"error": "invalid_grant"})
        self.forms: list[dict[str, str]] = []
        self.client_ids: list[str | None] = []
        self.bearers: list[str] = []
        self.good: set[str] = set()
        self.closed_locations: set[str] = set()
        self.latency = 0.0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await anyio.sleep(self.latency)
        if request.url.path == "/api/token":
            return self._token(request)
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.bearers.append(bearer)
        closed = request.url.params.get("WebHook_Business") in self.closed_locations
        if closed or bearer not in self.good:
            return httpx.Response(401)
        return httpx.Response(200, json=EMPTY) if request.method == "GET" else httpx.Response(200, content=CREATED)

    def _token(self, request: httpx.Request) -> httpx.Response:
        form = {name: value for name, (value,) in parse_qs(request.content.decode()).items()}
        self.forms.append(form)
        self.client_ids.append(request.headers.get("client_id"))
        if form["grant_type"] == "refresh_token" and not self.refreshes:
            return self.refused
        token = f"t{len(self.forms)}"
        self.good = {token}
        answer = {"access_token": token, "token_type": "bearer", "refresh_token": f"r{len(self.forms)}"}
        return httpx.Response(200, json={**answer, "expires_in": self.expires_in})

    @property
    def grants(self) -> list[str]:
        return [form["grant_type"] for form in self.forms]


def account_of(api: Api, tmp_path, environment=None) -> Account:
    """An account without limits at that API."""
    journal = Journal(tmp_path / "journal.db")
    config = AccountConfig("default", "https://spaces.example.com", authorization(environment or PAIR))
    client = client_of(api, environment or PAIR)
    return Account(config, client, journal, journal.account(config.key, "default"), terms=Terms(), budget=Budget(None))


async def search(account: Account, business_id: int = 1001) -> None:
    """A request of the account."""
    await account.search(1, 500, business_id=business_id)


async def test_signing_in_is_a_form():
    """User name, password and second factor are sent form-encoded, and the token is used from then on."""
    api = Api()
    async with client_of(api, {**PAIR, "NEXUDUS_TOTP": "123456"}) as client:
        assert client.needs_token
        await client.fetch_token()
        assert not client.needs_token
        assert await client.create(BODY) == 87654321
    assert api.forms == [
        {"grant_type": "password", "username": "admin@example.com", "password": "pass&word=ü", "totp": "123456"}
    ]
    assert api.bearers == ["t1"]


async def test_a_token_of_the_environment_needs_no_sign_in():
    """With NEXUDUS_TOKEN or Basic nothing is ever asked for, and a 401 is not mended."""
    for environment, basic in (({"NEXUDUS_TOKEN": "t"}, False), (PAIR, True)):
        async with client_of(Api(), environment, basic=basic) as client:
            assert not client.needs_token
            with pytest.raises(Unauthorized) as caught:
                await client.create(BODY)
            assert not client.should_resend(caught.value, resent=0)
            assert next(iter(environment)) in str(caught.value)


async def test_a_token_is_renewed_before_it_ends():
    """When its time is nearly over, the refresh token brings the next, with the user's name as client_id."""
    api = Api(expires_in=600)
    async with client_of(api, PAIR) as client:
        await client.fetch_token()
        await anyio.sleep(530)
        assert not client.needs_token
        await anyio.sleep(15)
        assert client.needs_token
        await client.fetch_token()
        await client.create(BODY)
    assert api.forms[1] == {"grant_type": "refresh_token", "refresh_token": "r1"}
    assert api.client_ids == [None, "admin@example.com"]
    assert api.bearers == ["t2"]


@pytest.mark.parametrize("expires_in", [None, 0, -5, "soon", [], 0.001])
async def test_a_lifetime_that_makes_no_sense_does_no_harm(expires_in, tmp_path):
    """Whatever expires_in says, a token that was just received is used."""
    api = Api(expires_in=expires_in)
    await search(account_of(api, tmp_path))
    assert api.bearers == ["t1"]


async def test_an_old_refresh_token_is_not_tried():
    """After 15 days the refresh token has ended, so user name and password are sent again."""
    api = Api(expires_in=20 * 86_400)
    async with client_of(api, PAIR) as client:
        await client.fetch_token()
        await anyio.sleep(20 * 86_400)
        await client.fetch_token()
    assert api.grants == ["password", "password"]


async def test_a_refused_refresh_ends_in_a_sign_in(tmp_path):
    """Where the refresh token is not taken, user name and password are, each as a request of its own."""
    api = Api(expires_in=60, refreshes=False)
    account = account_of(api, tmp_path)
    await search(account)
    await anyio.sleep(60)
    await search(account)
    assert api.grants == ["password", "refresh_token", "password"]
    assert account.traffic.requests == 5


@pytest.mark.parametrize(
    ("status", "headers", "content"),
    [(500, {}, b""), (502, {}, b"<html>"), (503, {"Retry-After": "1"}, b""), (403, {}, b"<!doctype html>")],
)
async def test_a_refresh_that_is_not_answered_ends_in_a_sign_in(tmp_path, status, headers, content):
    """A broken refresh does not keep the password from being taken."""
    api = Api(expires_in=60, refreshes=False, refused=httpx.Response(status, headers=headers, content=content))
    account = account_of(api, tmp_path)
    await search(account)
    await anyio.sleep(60)
    await search(account)
    assert api.grants == ["password", "refresh_token", "password"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 302])
async def test_a_refused_sign_in_names_the_variables_and_the_reason(status):
    """Credentials that are not taken are told with the API's reason and the variables to look at, without what is in
    them."""
    why = {"error": "invalid_grant", "error_description": "The password pass&word=ü of admin@example.com is wrong"}
    async with client_of(lambda request: httpx.Response(status, json=why), PAIR) as client:
        with pytest.raises(CredentialsError, match="NEXUDUS_USERNAME and NEXUDUS_PASSWORD: The password") as caught:
            await client.fetch_token()
    assert "pass&word" not in str(caught.value)
    assert "admin@" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(409, headers={"Retry-After": "1"}), Throttled),
        (httpx.Response(500), InDoubt),
        (httpx.Response(200, content=b"<html>"), InDoubt),
        (httpx.Response(200, json={"access_token": ""}), InDoubt),
        (httpx.Response(200, json={"access_token": "a\nb"}), InDoubt),
        (httpx.Response(200, json={}), InDoubt),
    ],
)
async def test_a_sign_in_fails_by_the_same_table(answer, kind):
    """What is no refusal of the credentials is what it is for any request."""
    async with client_of(lambda request: answer, PAIR) as client:
        with pytest.raises(kind):
            await client.fetch_token()
        assert client.needs_token


async def test_many_401s_at_once_cause_one_refresh(tmp_path):
    """All workers whose requests meet the ended token wait for one new token, and all are answered."""
    api = Api()
    account = account_of(api, tmp_path)
    await search(account)
    api.good, api.latency = set(), 1.0
    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(search, account)
    assert api.grants == ["password", "refresh_token"]
    assert api.bearers == ["t1"] * 9 + ["t2"] * 8


async def test_a_401_to_the_old_token_takes_the_new_one_without_another_refresh(tmp_path):
    """A request that left before another worker had the token renewed is sent again with the token that is there."""
    api = Api()
    account = account_of(api, tmp_path)
    await search(account)
    api.good, api.latency = set(), 1.0
    async with anyio.create_task_group() as group:
        group.start_soon(search, account)
        await anyio.sleep(0.9)
        group.start_soon(search, account)
    assert api.grants == ["password", "refresh_token"]
    assert api.bearers[-2:] == ["t2", "t2"]


async def test_workers_that_begin_together_sign_in_once(tmp_path):
    """One worker signs in, and the others wait for its token."""
    api = Api()
    api.latency = 1.0
    account = account_of(api, tmp_path)
    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(search, account)
    assert api.grants == ["password"]


async def test_a_401_right_after_the_sign_in_is_a_missing_permission(tmp_path):
    """With a token that is new, a 401 says that the permission is missing, and no further token is asked for."""
    api = Api()
    api.closed_locations = {"1001"}
    account = account_of(api, tmp_path)
    with pytest.raises(Unauthorized):
        await search(account)
    assert api.grants == ["password"]


async def test_missing_permissions_among_good_ones_cause_one_refresh_a_minute(tmp_path):
    """An administrator of some locations: the first 401 is tried with a new token, the next ones fail at once."""
    api = Api()
    api.closed_locations = {"1002"}
    account = account_of(api, tmp_path)
    for _ in range(5):
        await search(account, 1001)
        with pytest.raises(Unauthorized):
            await search(account, 1002)
    assert api.grants == ["password", "refresh_token"]
    await anyio.sleep(QUIET)
    with pytest.raises(Unauthorized):
        await search(account, 1002)
    assert len(api.grants) == 3


async def test_a_token_that_ends_again_and_again_is_renewed_again_and_again(tmp_path):
    """Each time a good token ends early it is renewed, however often that happens."""
    api = Api()
    account = account_of(api, tmp_path)
    for _ in range(4):
        await search(account)
        api.good = set()
    assert api.grants == ["password"] + ["refresh_token"] * 3
    assert api.bearers == ["t1", "t1", "t2", "t2", "t3", "t3", "t4"]


async def test_tokens_that_end_sooner_than_an_answer_comes_end_in_a_401(tmp_path):
    """Where no token lives long enough to be used, the request fails instead of asking for tokens for ever."""
    api = Api(expires_in=0.5)
    api.latency = 1.0
    api.closed_locations = {"1001"}
    account = account_of(api, tmp_path)
    with pytest.raises(Unauthorized):
        await search(account)
    assert len(api.bearers) == 4


async def test_a_sign_in_in_doubt_is_tried_again(tmp_path):
    """A token that did not arrive is asked for again, for that does no harm."""
    api = Api()
    answers = iter([httpx.Response(502), httpx.ReadTimeout("")])

    async def shaky(request):
        answer = next(answers, None)
        if isinstance(answer, Exception):
            raise answer
        return answer or await api(request)

    await search(account_of(shaky, tmp_path))
    assert api.grants == ["password"]


async def test_a_sign_in_in_doubt_leaves_a_write_unsent(tmp_path):
    """For what was to be sent with the token, a sign-in without an answer means that it has not been sent."""
    account = account_of(lambda request: httpx.Response(502), tmp_path)
    with pytest.raises(NotSent):
        await account._sign_in()


class TestTokenCommand:
    """NEXUDUS_TOKEN_COMMAND."""

    @pytest.fixture
    def anyio_backend(self):
        """A real process needs real time."""
        return "asyncio"

    def _environment(self, tmp_path, script):
        (tmp_path / "print token.py").write_text(script)
        return {"NEXUDUS_TOKEN_COMMAND": f"'{sys.executable}' '{tmp_path / 'print token.py'}' 'a;b'"}

    async def test_it_prints_the_token_again_when_that_has_ended(self, tmp_path):
        """The command is run at first and after a 401, and its token sent."""
        count = tmp_path / "count"
        count.write_text("0")
        script = (
            "import pathlib, sys\n"
            f"count = pathlib.Path({str(count)!r})\n"
            "assert sys.argv[1] == 'a;b'\n"
            "count.write_text(str(int(count.read_text()) + 1))\n"
            "print('Bearer c' + count.read_text())\n"
        )
        api = Api()
        api.good = {"c1"}
        account = account_of(api, tmp_path, self._environment(tmp_path, script))
        await search(account)
        api.good = {"c2"}
        await search(account)
        assert api.bearers == ["c1", "c1", "c2"]
        assert api.forms == []

    @pytest.mark.parametrize(
        ("script", "said"),
        [
            ("import sys; print('s3cret'); print('s3cret', file=sys.stderr); sys.exit(3)", "exits with code 3"),
            ("print('s3cret of two words')", "printed no token"),
            ("", "printed no token"),
            ("import os; os.write(1, bytes([0x73, 0xff, 0x00]))", "printed no token"),
        ],
    )
    async def test_its_failure_is_told_without_its_output(self, tmp_path, script, said, capfd):
        """A command that fails or prints no token is told by the variable and the exit code, and nothing it printed."""
        async with client_of(Api(), self._environment(tmp_path, script)) as client:
            with pytest.raises(CredentialsError, match=f"NEXUDUS_TOKEN_COMMAND.*{said}") as caught:
                await client.fetch_token()
        assert "s3cret" not in str(caught.value)
        assert "s3cret" not in "".join(capfd.readouterr())

    async def test_it_is_a_line_for_the_shell(self):
        """Pipes and variables mean what they mean elsewhere."""
        async with client_of(Api(), {"NEXUDUS_TOKEN_COMMAND": "printf 't0k:en' | cut -d: -f1"}) as client:
            await client.fetch_token()
            assert not client.needs_token

    @pytest.mark.parametrize("command", ["/nowhere/at all", "'unclosed", "/", "''"])
    async def test_what_is_no_command_is_told(self, command):
        """A command that cannot be started is told by its variable, and not shown."""
        async with client_of(Api(), {"NEXUDUS_TOKEN_COMMAND": command}) as client:
            with pytest.raises(CredentialsError, match=r"^NEXUDUS_TOKEN_COMMAND ") as caught:
                await client.fetch_token()
        assert "nowhere" not in str(caught.value)
