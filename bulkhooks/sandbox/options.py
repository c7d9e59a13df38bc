"""The options of the sandbox, and how each is written on a command line.

Every ``parse_…`` raises ``ValueError`` with one sentence that quotes the text and shows how it should look.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bulkhooks.sandbox.faults import FAULT_KINDS, Fault, Latency
from bulkhooks.sandbox.limits import Rate
from bulkhooks.sandbox.locations import Network

ROLES = ("full", "create-only")
"""``full``: a full unrestricted administrator. ``create-only``: WebHook-Create and nothing else."""

TOKEN_LIFETIME = 604799.0
"""Seconds; what ``expires_in`` says in Nexudus's example (bulkhooks/docs/nexudus.md)."""

MOST_LOCATIONS = 100_000

_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "day": 86400.0}
_RATE = re.compile(r"(\d{1,12})\s*/\s*(\d{1,9}(?:\.\d{1,9})?)?\s*([a-z]+)", re.IGNORECASE | re.ASCII)
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*([a-z]*)", re.IGNORECASE | re.ASCII)
_NETWORK = re.compile(r"([1-9]\d{0,17})(?:\s+(.*))?", re.ASCII | re.DOTALL)
_SPAN = re.compile(r"(\d{1,18})(?:\s*-\s*(\d{1,18}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """The options of ``bulkhooks sandbox`` (bulkhooks/docs/reference.md). Times are in seconds.

    No limit holds unless one is given. ``clock`` (nanoseconds, never going back) is what limits and token lifetimes
    are measured with.
    """

    locations: tuple[int, ...] = tuple(range(1001, 1041))
    network: tuple[Network, ...] = ()
    suspended: tuple[int, ...] = ()
    rate: tuple[Rate, ...] = ()
    request_rate: tuple[Rate, ...] = ()
    latency: Latency = field(default_factory=Latency)
    fault: tuple[Fault, ...] = ()
    seed: int | None = None
    role: str = "full"
    token_lifetime: float = TOKEN_LIFETIME
    state: Path | None = None
    ids_from: int = 1
    secret: str | None = field(default=None, repr=False)
    retry_delays: tuple[float, ...] = (1.0, 5.0, 30.0)
    clock: Callable[[], int] = field(default=time.monotonic_ns, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"{self.role!r} is not a role: write full or create-only")
        if not (self.token_lifetime > 0 and math.isfinite(self.token_lifetime)):
            raise ValueError(f"a token must live longer than {self.token_lifetime:g} seconds: write a number above 0")
        if self.ids_from < 1:
            raise ValueError(f"{self.ids_from} cannot be the first id: ids are whole numbers from 1")


def options_from(given: Mapping[str, object]) -> SandboxOptions:
    """The options as given on a command line, by name; one that is not given keeps its default.

    Raises ``ValueError`` with one sentence where a value cannot be read.
    """
    readers: dict[str, Callable[..., object]] = {
        "locations": parse_locations,
        "network": parse_networks,
        "suspended": parse_locations,
        "rate": parse_rates,
        "request_rate": parse_rates,
        "latency": parse_latency,
        "fault": parse_faults,
        "state": Path,
        "retry_delays": parse_delays,
    }
    values = {name: readers[name](value) if name in readers else value for name, value in given.items()}
    return SandboxOptions(**values)  # type: ignore[arg-type]  # each was read as what it is


def parse_rates(texts: Iterable[str]) -> tuple[Rate, ...]:
    """Limits that hold at once, each ``N/PERIOD`` such as ``60/min`` or ``60/2s``; ``none`` anywhere lifts them all."""
    words = [text.strip() for text in texts]
    if any(word.lower() == "none" for word in words):
        return ()
    return tuple(_rate(word) for word in words)


def parse_latency(text: str) -> Latency:
    """``0.02``, ``20ms`` or a range such as ``10-160ms``, from which each request draws evenly."""
    low, dash, high = text.strip().partition("-")
    try:
        longest = _seconds(high if dash else low)
        unit = _DURATION.fullmatch(high.strip())
        if dash and unit and low.strip().replace(".", "", 1).isdigit():
            low += unit[2]
        shortest = _seconds(low)
    except ValueError:
        raise ValueError(f"{text!r} is not a latency: write seconds, 20ms or a range such as 10-160ms") from None
    if shortest > longest:
        raise ValueError(f"{text!r} is not a latency: the range runs backwards")
    return Latency(shortest, longest)


def parse_faults(texts: Iterable[str]) -> tuple[Fault, ...]:
    """``KIND=PROBABILITY`` each, kinds those of ``FAULT_KINDS``; ``slow=0.1:5`` takes 5 seconds (else 2)."""
    faults: dict[str, Fault] = {}
    for text in texts:
        fault = _fault(text)
        if fault.kind in faults:
            raise ValueError(f"the fault {fault.kind} is given twice: give it once, with the probability that counts")
        faults[fault.kind] = fault
    total = sum(fault.probability for fault in faults.values())
    if total > 1 + 1e-9:
        raise ValueError(f"the probabilities of all faults add up to {total:g}: together they may be 1 at most")
    return tuple(faults.values())


def parse_locations(text: str) -> tuple[int, ...]:
    """``1001-1040``, or several ids and ranges separated by commas."""
    ids: dict[int, None] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = _SPAN.fullmatch(part)
        if found is None:
            raise ValueError(f"{part!r} is not an id or a range of ids: write 1001-1040 or 1001,1002")
        first, last = int(found[1]), int(found[2] or found[1])
        if first < 1 or last < first:
            raise ValueError(f"{part!r} is not a range of ids: write the lower id first, and none below 1")
        if last - first >= MOST_LOCATIONS - len(ids):
            raise ValueError(f"{part!r} makes more than {MOST_LOCATIONS:,} locations: write a narrower range")
        ids.update(dict.fromkeys(range(first, last + 1)))
    if not ids:
        raise ValueError("there must be at least one location: write for example 1001-1040")
    return tuple(sorted(ids))


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """``900=1001-1010`` or ``900 Harbour UK=1001-1010`` each: id and name of a network, and its locations."""
    networks = []
    for text in texts:
        top, equals, ids = text.partition("=")
        found = _NETWORK.fullmatch(top.strip())
        if found is None or not equals:
            raise ValueError(
                f"{text!r} is not a network: write its id, its name and its locations, as 900 UK=1001-1010"
            )
        networks.append(Network(int(found[1]), (found[2] or "").strip(), parse_locations(ids)))
    roots: dict[int, int] = {}
    for network in networks:
        for number in network.locations:
            if number == network.id or roots.setdefault(number, network.id) != network.id:
                raise ValueError(f"location {number} cannot belong to network {network.id}: it is in another, or is it")
    return tuple(networks)


def parse_delays(text: str) -> tuple[float, ...]:
    """``1,5,30``: seconds before each further try of a delivery; the last one repeats."""
    try:
        delays = tuple(_seconds(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"{text!r} is not a list of delays: write seconds such as 1,5,30") from None
    return delays


def _rate(text: str) -> Rate:
    found = _RATE.fullmatch(text)
    unit = _SECONDS.get(found[3].lower()) if found else None
    if found is None or unit is None:
        raise ValueError(
            f"{text!r} is not a rate: write N/PERIOD such as 60/min or 60/2s (PERIOD: ms, s, min, h, day), or none"
        )
    rate = Rate(int(found[1]), round(float(found[2] or 1) * unit * 1e9))
    if rate.count < 1 or rate.period < 1:
        raise ValueError(f"{text!r} allows no request at all: write at least 1 in a period above 0")
    return rate


def _seconds(text: str) -> float:
    found = _DURATION.fullmatch(text.strip())
    unit = _SECONDS.get(found[2].lower() or "s") if found else None
    if found is None or unit is None:
        raise ValueError(f"{text!r} is not a time")
    return float(found[1]) * unit


def _fault(text: str) -> Fault:
    kind, equals, amount = (part.strip() for part in text.partition("="))
    if kind not in FAULT_KINDS or not equals:
        raise ValueError(f"{text!r} is not a fault: write KIND=PROBABILITY, KIND one of {', '.join(FAULT_KINDS)}")
    probability, colon, seconds = amount.partition(":")
    try:
        fault = Fault(kind, float(probability))
        if colon:
            fault = Fault(kind, fault.probability, _seconds(seconds))
    except ValueError:
        raise ValueError(f"{text!r} is not a fault: {amount!r} is no probability (0 to 1, for example 0.05)") from None
    if not 0 <= fault.probability <= 1:
        raise ValueError(f"{text!r} is not a fault: a probability lies between 0 and 1")
    if colon and kind != "slow":
        raise ValueError(f"{text!r} is not a fault: only slow takes seconds")
    return fault
