"""The words of the admin panel: every label in every spelling is its own event, and nothing else is any."""

from __future__ import annotations

import itertools
import re

import pytest

from bulkhooks import actions

PANEL = """
    Access control | updated 61
    Article | created 4, updated 5, deleted 43
    Booking | created 6, updated 7, deleted 8
    Chat message | created 30
    Check-in | created 47, updated 48, deleted 49, attempt failed 63
    Community, Community message, Discussion board | message created 40, thread created 39
    Community group | created 85, deleted 86, updated 87
    Contract | created 62, activated 10, first activated 14, cancelled 11, renewed 12, updated 60
    Contract | upgraded/downgraded 13, upgraded / downgraded 13, deleted 77
    Credit note | created 20
    Customer, Member, Contact | created 3, updated 2, deleted 50, checked in 36, check-in 36, checked out 35
    Customer, Member, Contact | check-out 35, check-in failed 37, failed check-in 37, welcome email sent 9
    Customer message | created 51
    Customer product | created 68, updated 69, deleted 70
    Customer payment method | created 88, deleted 89, updated 90
    Delivery | created 52, assigned to customer 53
    Event attendee | created 28, updated 29, deleted 27
    Event | created 25, updated 26, deleted 44
    Floor plan | created 78, deleted 79, updated 80
    Floor plan desk, Floor plans desk | created 71, deleted 72, updated 73
    Help-desk | message created 45, reply created 46
    Invoice | first created 15, created 16, updated 18, cancelled 19, refunded 19, cancelled / refunded 19, deleted 17
    Invoice | awaiting payment 24, received payment 23, failed payment 22, paid 21, fully paid 21
    Invoice ledger entry | created 65, deleted 66, updated 67
    Location | updated 84
    Newsletter subscriber | created 31, subscribed 32, unsubscribed 33, removed from group 34
    Plan | created 74, deleted 75, updated 76
    Product | created 81, deleted 82, updated 83
    Proposal | created 54, updated 55, deleted 56
    Team | created 57, updated 58, deleted 59
    Visitor | registered 42, checked in 41, notification 38, deleted 64
"""
"""What stands on the panel (bulkhooks/docs/nexudus.md, The words of the admin panel): nouns, verbs, numbers."""

PRESENT = {
    "created": "create", "updated": "update", "deleted": "delete", "activated": "activate", "cancelled": "cancel",
    "renewed": "renew", "upgraded": "upgrade", "downgraded": "downgrade", "checked": "check", "failed": "fail",
    "sent": "send", "refunded": "refund", "assigned": "assign", "awaiting": "await", "received": "receive",
    "paid": "pay", "subscribed": "subscribe", "unsubscribed": "unsubscribe", "removed": "remove",
    "registered": "register",
}  # fmt: skip


def labels():
    """(noun, verb, number) of every label."""
    for line in PANEL.strip().splitlines():
        nouns, verbs = line.split(" | ")
        for noun, verb in itertools.product(nouns.strip().split(", "), verbs.split(", ")):
            words, _, number = verb.rpartition(" ")
            yield noun, words, int(number)


def plural(noun):
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"


def present(verb):
    return re.sub(r"\w+", lambda word: PRESENT.get(word[0], word[0]), verb)


def spellings(noun, verb):
    """How people write one label."""
    for name, doing in itertools.product((noun, plural(noun)), (verb, present(verb))):
        for between in (" ", ": ", " - ", " – ", "—", "/", " / ", "."):
            yield f"{name}{between}{doing}"
        yield f"{name} {doing.upper()}"
        yield f"{name.upper()} {doing.upper()}"
        yield f"{name.lower()}_{doing.lower()}".replace(" ", "_")
        yield f"{name.title()}{doing.title()}".replace(" ", "")
        yield f"{name} {doing}".replace("-", "")
        yield f"{name} {doing}".replace("-", " ")
        yield f"{name} {doing}".replace("-", "\u2011")
        yield f"  {name}\u00a0 {doing} ".replace(" ", "  ")
        yield f"{name} is {doing}"
        if "cancelled" in doing:
            yield f"{name} {doing}".replace("cancelled", "canceled")
        if "email" in doing:
            yield f"{name} {doing}".replace("email", "e-mail")


@pytest.mark.parametrize(("noun", "verb", "number"), list(labels()))
def test_every_spelling_of_a_label_is_its_event(noun, verb, number):
    """Nouns in both numbers, verbs in either tense, any separator, hyphen and capitals, British and American."""
    wrong = {text: actions.match(text) for text in spellings(noun, verb) if actions.match(text) != [number]}
    assert wrong == {}


def test_every_event_but_none_is_on_the_panel():
    """And the label that the program shows is one of them."""
    assert {number for _, _, number in labels()} == set(range(2, 91))
    for number, name in actions.all_actions():
        label = actions.label_of(number)
        assert actions.match(actions.both_words(number)) == [number]
        assert actions.both_words(number) == (f"{label} ({name})" if label else name)
        assert (label == "") == (name == "None")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Coworker created", 3),
        ("Invoice Create", 16),
        ("CoworkerInvoice created", 16),
        ("Coworker invoice: fully paid", 21),
        ("Customer contract renewed", 12),
        ("Tariff created", 74),
        ("Blog post updated", 5),
        ("BlogPost deleted", 43),
        ("Calendar event created", 25),
        ("Business updated", 84),
        ("Checkin created", 47),
        ("Discussion board: new thread", 39),
        ("Invoice CreateFirst", 15),
        ("First invoice created", 15),
        ("Failed invoice payment", 22),
        ("Created Booking", 6),
        ("Contract upgraded and downgraded", 13),
        ("Customer's message created", 51),
        ("Failed check-in", 63),
        ("Send welcome email", 9),
    ],
)
def test_the_words_of_panel_and_api_mix(text, number):
    """A noun of one with the verb of the other, and the verb around or before the noun."""
    assert actions.match(text) == [number]


@pytest.mark.parametrize("number", range(1, 91))
def test_the_names_of_the_api_are_what_they_were(number):
    """In one piece, in words, and in capitals."""
    name = actions.name_of(number)
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    assert [actions.match(text) for text in (name, name.upper(), words, str(number))] == [[number]] * 4


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("Created", ["Article created (BlogPostCreate)", "Booking created (BookingCreate)"]),
        ("Customer", ["Customer created (CoworkerCreate)", "Customer updated (CoworkerUpdate)"]),
        ("Plans", ["Plan created (TariffCreate)", "Plan updated (TariffUpdate)", "Plan deleted (TariffDelete)"]),
        ("Location", ["Location updated (BusinessUpdate)"]),
        ("Plan archived", ["Plan created (TariffCreate)"]),
        ("Custmer created", ["Customer created (CoworkerCreate)"]),
        (
            "Check-in failed",
            ["Customer check-in failed (CoworkerCheckinFailed)", "Check-in attempt failed (FailedCheckin)"],
        ),
        ("Welcome email sent", ["Customer welcome email sent (SendWelcomeEmail)"]),
        ("Plan created (TariffDelete)", ["Plan created (TariffCreate)", "Plan deleted (TariffDelete)"]),
    ],
)
def test_what_names_no_single_event_is_none_with_those_that_may_be_meant(text, nearest):
    """A noun alone, a verb alone, a verb that the panel does not have, a slip, two names that contradict each other."""
    assert actions.match(text) == []
    close = list(map(actions.both_words, actions.nearest(text)))
    assert len(close) <= 3
    assert set(nearest) <= set(close)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("Booking*", [6, 7, 8]),
        ("*Plan*", [71, 72, 73, 78, 79, 80]),
        ("Plan*", [74, 75, 76]),
        ("plans: *", [74, 75, 76]),
        ("Chat message*", [30]),
        ("Help-desk*", [45, 46]),
        ("Invoice*", [15, 16, 17, 18, 19, 21, 22, 23, 24, 65, 66, 67]),
        ("Invoice*paid", [21]),
        ("Check-in*", [47, 48, 49]),
        ("Location*", [84]),
        ("*", list(range(2, 91))),
        ("Holiday*", []),
    ],
)
def test_a_pattern_is_tried_on_the_api_first(pattern, expected):
    """And on the panel's words, without spaces and hyphens, only where no name of the API matches."""
    assert actions.match(pattern) == expected
