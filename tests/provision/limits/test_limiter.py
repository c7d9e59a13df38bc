"""The limiter, under a clock that jumps: hours of limits take milliseconds."""

from __future__ import annotations

import math

import anyio
import pytest
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhooks.errors import UsageError
from bulkhooks.provision.limits.limiter import CLOCK_TOLERANCE, SPARE, Limiter, NextSlotTooFar
from bulkhooks.provision.limits.rates import Rate, parse_rates


def simulate(rates, latencies, *, workers=8, requests=()):
    """Send one write per latency; returns the moments of arrival at the server and the time of the last departure.

    Each latency is (way there, way back).
    """
    arrivals = []
    departures = []

    async def main():
        limiter = Limiter([Rate.parse(rate) for rate in rates], [Rate.parse(rate) for rate in requests])
        start = anyio.current_time()
        queue = iter(latencies)

        async def worker():
            for there, back in queue:
                slot = await limiter.slot(write=True)
                departures.append(anyio.current_time() - start)
                await anyio.sleep(there)
                arrivals.append(anyio.current_time() - start)
                await anyio.sleep(back)
                slot.answered()

        async with anyio.create_task_group() as group:
            for _ in range(workers):
                group.start_soon(worker)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    return sorted(arrivals), max(departures)


def most_in_any(period, arrivals):
    """The largest number of arrivals in any half-open interval of this length."""
    most = first = 0
    for last, moment in enumerate(arrivals):
        while moment - arrivals[first] >= period:
            first += 1
        most = max(most, last - first + 1)
    return most


ways = st.tuples(st.floats(0, 3), st.floats(0, 3))


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 7),
    period=st.sampled_from([1, 2, 5, 60]),
    latencies=st.lists(ways, min_size=1, max_size=60),
    workers=st.integers(1, 12),
)
def test_no_window_is_exceeded_at_the_server(count, period, latencies, workers):
    """Whatever the latencies, the server never receives more than N in a period."""
    arrivals, _ = simulate([f"{count}/{period}s"], latencies, workers=workers)
    assert len(arrivals) == len(latencies)
    assert most_in_any(period, arrivals) <= count


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 7),
    period=st.sampled_from([1, 2, 5, 60]),
    latencies=st.lists(ways, min_size=1, max_size=60),
)
def test_time_is_within_one_latency_a_window_of_the_minimum(count, period, latencies):
    """With workers enough, each window costs at most one latency over the theoretical minimum."""
    _, last_departure = simulate([f"{count}/{period}s"], latencies, workers=len(latencies))
    windows = (len(latencies) - 1) // count
    slowest = max(there + back for there, back in latencies)
    assert last_departure <= windows * (period * (1 + CLOCK_TOLERANCE) + slowest) + 1e-6


def test_several_windows_hold_at_once():
    """Writes keep their own limits and those of all requests."""
    rates, requests = ["6/10s", "20/100s"], ["9/20s"]
    arrivals, _ = simulate(rates, [(0.1, 0.1)] * 60, requests=requests)
    for rate in [*rates, *requests]:
        parsed = Rate.parse(rate)
        assert most_in_any(parsed.period, arrivals) <= parsed.count


def test_the_first_ones_need_not_wait():
    """Up to N leave at once."""
    _, last_departure = simulate(["60/min"], [(0, 0)] * 60, workers=60)
    assert last_departure == 0


def test_periods_below_a_second_are_kept_between_departures():
    """One slow answer does not hold a window of 100 ms; each is kept a little longer, for those that travel faster."""
    _, last_departure = simulate(["1/100ms"], [(5, 5)] * 11, workers=11)
    assert last_departure == pytest.approx(10 * (0.1 + SPARE), rel=0.001)


@pytest.mark.parametrize("delay", [0.06, 0.1, 0.25])
async def test_a_request_that_leaves_late_holds_the_next_one_as_long(delay):
    """What is between the slot and the departure is not taken from the period."""
    limiter = Limiter([], [Rate(1, 0.1)])
    slot = await limiter.slot(write=True)
    await anyio.sleep(delay)
    slot.leaves()
    left_at = anyio.current_time()
    await limiter.slot(write=True)
    assert anyio.current_time() - left_at == pytest.approx(0.1 + SPARE, rel=0.001)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 4),
    delays=st.lists(st.floats(0, 0.09), min_size=1, max_size=40),
    jitter=st.floats(0, SPARE),
)
def test_periods_below_a_second_hold_at_a_server_that_counts(count, delays, jitter):
    """Whatever delays the departures, arrivals that differ by no more than is spared are never too many."""
    departures = []

    async def main():
        limiter = Limiter([], [Rate(count, 0.1)])

        async def send(delay):
            slot = await limiter.slot(write=True)
            await anyio.sleep(delay)
            slot.leaves()
            departures.append(anyio.current_time())

        async with anyio.create_task_group() as group:
            for delay in delays:
                group.start_soon(send, delay)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    arrivals = sorted(moment + jitter * (number % 2) for number, moment in enumerate(departures))
    assert most_in_any(0.1, arrivals) <= count


async def test_reads_do_not_wait_behind_writes_at_their_cap():
    """A look-up goes out while writes wait for the day to end."""
    limiter = Limiter([Rate(1, 86400)], [Rate(10, 1)])
    (await limiter.slot(write=True)).answered()
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: limiter.slot(write=True))
        await anyio.sleep(1)
        (await limiter.slot(write=False)).answered()
        assert limiter.opens_in(write=False) == 0
        group.cancel_scope.cancel()


async def test_a_slot_too_far_away_is_refused_at_once():
    """Patience is asked before waiting, and the distance is told."""
    limiter = Limiter([Rate(1, 86400)], [])
    (await limiter.slot(write=True)).answered()
    with pytest.raises(NextSlotTooFar) as too_far:
        await limiter.slot(write=True, patience=900)
    assert too_far.value.seconds == pytest.approx(86400, rel=0.001)


async def test_what_never_left_costs_nothing():
    """A slot given back is free at once."""
    limiter = Limiter([Rate(1, 60)], [])
    (await limiter.slot(write=True)).never_left()
    assert limiter.opens_in(write=True) == 0


async def test_a_throttled_write_counts_for_the_minute_and_not_for_the_day():
    """The server received it, and did not take it."""
    limiter = Limiter([Rate(1, 60), Rate(1, 86400)], [])
    (await limiter.slot(write=True)).throttled()
    assert limiter.opens_in(write=True) == pytest.approx(60, rel=0.001)


async def test_requests_of_earlier_runs_count():
    """Ages in seconds are placed on this run's clock."""
    limiter = Limiter([Rate(2, 60)], [])
    limiter.remember([70, 50, 20], write=True)
    assert limiter.opens_in(write=True) == pytest.approx(10, abs=0.1)
    assert limiter.writes_left() == 0


async def test_earlier_reads_and_writes_stand_in_one_line():
    """Told apart, they fill one window; it opens when the oldest of both leaves it."""
    limiter = Limiter([], [Rate(2, 60)])
    limiter.remember([5], write=True)
    limiter.remember([50, 40], write=False)
    assert limiter.opens_in(write=False) == pytest.approx(20, abs=0.1)


async def test_what_a_wrong_clock_dated_in_the_future_counts_as_of_now():
    """A call that seems to come from tomorrow does not close the window for longer than its period."""
    limiter = Limiter([Rate(1, 60)], [])
    limiter.remember([-86400], write=True)
    assert limiter.opens_in(write=True) == pytest.approx(60, abs=0.1)


@pytest.mark.parametrize(
    ("sent", "writes", "days"), [(0, 0, 0), (0, 10, 1), (0, 11, 2), (4, 6, 1), (4, 7, 2), (10, 5, 1), (14, 20, 2)]
)
async def test_days_on_which_something_is_sent_are_told(sent, writes, days):
    """Under 10 a day, with so many of the last 24 hours counted; a day that has no room left is none."""
    limiter = Limiter([Rate(10, 86400)], [])
    limiter.remember([60] * sent, write=True)
    assert limiter.days_for(writes) == days
    assert Limiter([Rate(10, 60)], []).days_for(writes) is None


async def test_a_pause_holds_everything():
    """Retry-After stops reads and writes alike."""
    limiter = Limiter([], [])
    limiter.pause(7)
    start = anyio.current_time()
    (await limiter.slot(write=False)).answered()
    assert anyio.current_time() - start == pytest.approx(7)


async def test_time_left_is_told():
    """61 writes at 60 a minute take one minute."""
    limiter = Limiter([Rate(60, 60)], [Rate(1, 0.1)])
    assert limiter.seconds_for(writes=61) == 60
    assert limiter.seconds_for(writes=1) == 0
    assert limiter.seconds_for(writes=0) == 0
    assert limiter.seconds_for(writes=1, reads=20) == pytest.approx(2)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("60/min", Rate(60, 60)),
        ("5000/day", Rate(5000, 86400)),
        ("1/100ms", Rate(1, 0.1)),
        ("60/2s", Rate(60, 2)),
        (" 5 / h ", Rate(5, 3600)),
        ("3/0.5min", Rate(3, 30)),
    ],
)
def test_rates_are_read_as_people_write_them(text, rate):
    """N/PERIOD, with or without a factor."""
    assert Rate.parse(text).count == rate.count
    assert math.isclose(Rate.parse(text).period, rate.period)


@pytest.mark.parametrize("text", ["", "60", "60/", "60/fortnight", "0/min", "-1/min", "5/0s", "x/min"])
def test_what_is_no_rate_is_refused_with_its_value(text):
    """The sentence holds the value and an example."""
    with pytest.raises(UsageError, match=r"N/PERIOD|at least 1") as error:
        Rate.parse(text)
    assert repr(text) in str(error.value)


def test_none_lifts_every_limit():
    """``none`` wins over whatever stands beside it."""
    assert parse_rates(["none"]) == ()
    assert parse_rates(["60/min", "5/s"]) == (Rate(60, 60), Rate(5, 1))
