"""What the server may do with a request instead of answering it as it should."""

from __future__ import annotations

import enum
import random
from collections.abc import Sequence
from dataclasses import dataclass


class Effect(enum.Enum):
    """Whether the server does what it is asked to do."""

    NONE = "not done"
    DONE = "done"
    LATER = "done later"


@dataclass(frozen=True)
class Fault:
    """``way`` is how the connection goes on; ``status`` and ``body`` replace the answer where the way is ``answer``."""

    name: str
    effect: Effect
    way: str = "answer"
    status: int = 0
    body: bytes = b""
    wait: str | None = None


HTML = b"<!DOCTYPE html><html><head><title>Welcome</title></head><body>Please sign in</body></html>"
_UNREAD = b'\xef\xbb\xbf{"Status": 200, "Val\xff\xfe'
_NO_ID = b'{"Status": 200, "Message": "ok", "Value": null, "Errors": null, "WasSuccessful": true}'
_REFUSAL = (
    b'{"Message": "Name: is too odd", "Value": null, "Errors": [{"AttemptedValue": "", "Message": "is too odd",'
    b' "PropertyName": "Name"}], "WasSuccessful": false}'
)
_BOTH = (Effect.NONE, Effect.DONE)

ON_EVERY_REQUEST = (
    *(Fault(f"cut, {effect.value}", effect, "cut") for effect in _BOTH),
    *(Fault(f"reset, {effect.value}", effect, "reset") for effect in _BOTH),
    *(Fault(f"no answer, {effect.value}", effect, "hang") for effect in _BOTH),
    *(Fault(f"500, {effect.value}", effect, status=500) for effect in _BOTH),
    *(Fault(f"502 of a gateway, {effect.value}", effect, status=502, body=HTML) for effect in _BOTH),
    *(Fault(f"a portal's page, {effect.value}", effect, status=200, body=HTML) for effect in _BOTH),
    *(Fault(f"noise, {effect.value}", effect, "noise") for effect in _BOTH),
    Fault("cut, unread", Effect.NONE, "unread"),
    Fault("half an answer", Effect.DONE, "half"),
    Fault("too short an answer", Effect.DONE, "short"),
    Fault("slow", Effect.DONE, "slow"),
    Fault("in drops", Effect.DONE, "drip"),
    Fault("in chunks", Effect.DONE, "chunks"),
    Fault("after an early hint", Effect.DONE, "hinted"),
    Fault("damaged gzip", Effect.DONE, "gzip"),
    Fault("unreadable JSON", Effect.DONE, status=200, body=_UNREAD),
    Fault("503", Effect.NONE, status=503),
    Fault("503, wait", Effect.NONE, status=503, wait="0"),
    Fault("409, wait", Effect.NONE, status=409, wait="0"),
    Fault("409, wait longer", Effect.NONE, status=409, wait="1"),
    Fault("429", Effect.NONE, status=429),
    Fault("a firewall's page", Effect.NONE, status=403, body=HTML),
)
ON_WRITES = (
    Fault("no id", Effect.DONE, status=200, body=_NO_ID),
    Fault("stored late, cut", Effect.LATER, "cut"),
    Fault("stored late, no answer", Effect.LATER, "hang"),
    Fault("refused", Effect.NONE, status=400, body=_REFUSAL),
)
ON_SEARCHES = tuple(
    Fault(name, Effect.DONE, "answer")
    for name in ("no next page told", "no totals", "wrong pages", "page repeated", "page empty", "odd record")
)


@dataclass
class Weather:
    """How likely a fault is at each request, and which of them occur. ``lag``: seconds after which a search shows what
    was created; ``late``: the longest that a request is stored after its arrival, as a part of the settle."""

    probability: float = 0.0
    faults: Sequence[Fault] = ()
    lag: float = 0.0
    late: float = 0.8

    def strike(self, draw: random.Random, kind: str) -> Fault | None:
        """What becomes of a request of this kind (``create``, ``change``, ``search``, ``read``, ``token``)."""
        if draw.random() >= self.probability:
            return None
        possible = [fault for fault in self.faults if _may_strike(fault, kind)]
        return draw.choice(possible) if possible else None


def _may_strike(fault: Fault, kind: str) -> bool:
    if fault in ON_SEARCHES:
        return kind == "search"
    if fault in ON_WRITES:
        return kind == "create" or (kind == "change" and fault.effect is not Effect.LATER)
    return True


FAIR = Weather()


def storm(draw: random.Random) -> Weather:
    """A weather of its own: some of the faults or all of them, rare or at every second request."""
    every = (*ON_EVERY_REQUEST, *ON_WRITES, *ON_SEARCHES)
    faults = every if draw.random() < 0.4 else draw.sample(every, draw.randint(2, 8))
    return Weather(draw.uniform(0.2, 0.7), faults, lag=draw.choice([0, 0, 3.0]))
