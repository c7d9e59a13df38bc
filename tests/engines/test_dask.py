"""The engine's own doors and words."""

from __future__ import annotations

import os

import psutil

from bulkhooks.engines.dask import DaskHere


def test_two_engines_of_a_machine_say_nothing_of_each_other_and_are_heard_on_loopback_alone(capfd):
    """Each has a scheduler; a person has asked for neither, and for no port of theirs."""
    before, children = _ports(), psutil.Process().children()
    engines = [DaskHere(1, ["-c", "import time; time.sleep(600)"], dict(os.environ), silence=30) for _ in range(2)]
    try:
        assert {address for address, _ in _ports() - before} == {"127.0.0.1"}
        assert 8787 not in {port for _, port in _ports() - before}
    finally:
        for engine in engines:
            engine.close()
    assert capfd.readouterr() == ("", "")
    assert psutil.Process().children() == children


def _ports() -> set[tuple[str, int]]:
    known = psutil.Process().net_connections()
    return {(each.laddr.ip, each.laddr.port) for each in known if each.status == psutil.CONN_LISTEN}
