"""How options are written, and what is said about those that are not."""

from __future__ import annotations

import pytest

from bulkhooks.sandbox.faults import Fault, Latency
from bulkhooks.sandbox.limits import SECOND, Rate
from bulkhooks.sandbox.locations import Network
from bulkhooks.sandbox.options import (
    SandboxOptions,
    parse_delays,
    parse_faults,
    parse_latency,
    parse_locations,
    parse_networks,
    parse_rates,
)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parse_rates, ["60/min", "5000/day"], (Rate(60, 60 * SECOND), Rate(5000, 86400 * SECOND))),
        (parse_rates, ["1/100ms", " 60 / 2s "], (Rate(1, SECOND // 10), Rate(60, 2 * SECOND))),
        (parse_rates, ["5/1.5H"], (Rate(5, 5400 * SECOND),)),
        (parse_rates, ["60/min", "none"], ()),
        (parse_latency, "0", Latency()),
        (parse_latency, "0.5", Latency(0.5, 0.5)),
        (parse_latency, "20ms", Latency(0.02, 0.02)),
        (parse_latency, "10-160ms", Latency(0.01, 0.16)),
        (parse_latency, "0.1 - 2s", Latency(0.1, 2.0)),
        (parse_latency, "20ms-1s", Latency(0.02, 1.0)),
        (parse_faults, ["slow=0.1:5", "drop-after=1e-2"], (Fault("slow", 0.1, 5.0), Fault("drop-after", 0.01))),
        (parse_faults, ["error-500=1"], (Fault("error-500", 1.0),)),
        (parse_locations, "1001-1003", (1001, 1002, 1003)),
        (parse_locations, "7, 3-5,4", (3, 4, 5, 7)),
        (parse_networks, ["900=1001-1002"], (Network(900, "", (1001, 1002)),)),
        (
            parse_networks,
            ["900 Harbour UK = 1001", "950=7"],
            (Network(900, "Harbour UK", (1001,)), Network(950, "", (7,))),
        ),
        (parse_delays, "1,5,30", (1.0, 5.0, 30.0)),
        (parse_delays, "10ms", (0.01,)),
    ],
)
def test_options_are_read(parse, text, value):
    """Each way of writing an option that the help names is understood."""
    assert parse(text) == pytest.approx(value) if parse is parse_delays else parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        *[
            (parse_rates, [text])
            for text in ("", "60", "60/", "x/min", "60/week", "0/min", "5/0s", "-1/min", "6/min/2")
        ],
        *[(parse_latency, text) for text in ("", "fast", "-1", "5-", "160-10ms", "1e3", "nan", "5 days-6 years")],
        *[(parse_faults, [text]) for text in ("", "slow", "drop=1", "slow=x", "slow=2", "slow=-0.1", "slow=nan")],
        *[(parse_faults, [text]) for text in ("error-500=1:2", "slow=0.1:x", "slow=0.1:")],
        (parse_faults, ["slow=0.6", "drop-after=0.6"]),
        (parse_faults, ["slow=0.1", "slow=0.2"]),
        *[(parse_locations, text) for text in ("", ",", "x", "5-3", "0", "1-", "-5", "1-100001", "1-9,20-200000")],
        *[(parse_networks, [text]) for text in ("", "900", "900=", "UK=1001", "=1001", "900=900", "900=x", "0=1")],
        (parse_networks, ["900=1001", "950=1001"]),
        *[(parse_delays, text) for text in ("", "1,,2", "x", "-1", "1;2")],
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(parse, text):
    """Anything else is a ValueError of one line that says how to write it."""
    with pytest.raises(ValueError, match=r"^[^\n]{20,}$"):
        parse(text)


@pytest.mark.parametrize(
    "wrong", [{"role": "root"}, {"token_lifetime": 0}, {"token_lifetime": float("nan")}, {"ids_from": 0}]
)
def test_options_that_make_no_sense_are_refused(wrong):
    """A role, a lifetime or a first id that cannot be is refused at once."""
    with pytest.raises(ValueError, match=r"^[^\n]{20,}$"):
        SandboxOptions(**wrong)


def test_the_secret_is_not_shown():
    """Printed options do not hold the secret."""
    assert "hush" not in repr(SandboxOptions(secret="hush"))
