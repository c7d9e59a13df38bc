"""A send that is stored late, over HTTP: what the results say of it, and that an undo takes both back."""

from __future__ import annotations

import pytest

from bulkhooks import run
from bulkhooks.commands.undo import undo
from tests.commands.odd import OddServer, job_at


def late(server, ask, status, body):
    """The first webhook is stored only when the second send has been answered; the first send gets no answer."""
    if ask.method != "POST":
        return status, body
    if server.count("POST") == 1:
        server.late = server.webhooks.pop(server.last_id)
        return None
    if server.late and server.arrives:
        server.add(**_fields(server.late))
    return status, body


def _fields(record):
    return {"business_id": record["BusinessId"], "action": record["Action"], "url": record["URL"]}


@pytest.mark.parametrize("by_file", [True, False])
@pytest.mark.parametrize("arrives", ["while the run looks", "after the run"])
def test_an_undo_removes_both(tmp_path, arrives, by_file):
    """Whether the run has seen the second one or not, and whether the file or the run is named."""
    with OddServer(late) as server:
        server.late, server.arrives = None, arrives == "while the run looks"
        theirs = server.add(1002)
        ran = run(job_at(tmp_path, server, [1001]))
        if not server.arrives:
            server.add(**_fields(server.late))
        assert len(server.webhooks) == 3
        assert ran.results["Status"].tolist() == ["created"]
        codes = [warning.code for warning in ran.summary.warnings]
        assert codes == (["twin"] if server.arrives else [])
        named = {"input": tmp_path / "out.csv"} if by_file else {"input": (), "run": ran.summary.run_id}
        undone = undo(job_at(tmp_path, server, [1001], output=tmp_path / "undo.csv", **named))
        assert undone.results["Status"].tolist() == ["deleted"] * 2
        assert (list(server.webhooks), undone.exit_code) == ([theirs], 0)
