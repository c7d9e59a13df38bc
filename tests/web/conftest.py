"""A server that the tests of a process share; each test is a person of its own."""

from __future__ import annotations

import pytest

from tests.web.server import serving

pytest.importorskip("jinja2", reason="the page needs jinja2: pip install bulkhooks[web]")


@pytest.fixture(scope="session")
def rehearsal(tmp_path_factory):
    """``bulkhooks serve --sandbox``."""
    with serving(tmp_path_factory.mktemp("page"), "--sandbox") as served:
        yield served


@pytest.fixture
def person(rehearsal):
    """Somebody who has been let in."""
    client = rehearsal.person()
    yield client
    client.close()
