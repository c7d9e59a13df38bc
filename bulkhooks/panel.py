"""The words of the admin panel for the events, and every spelling in which people copy them into a sheet.

Who fills in a sheet sees *Settings > Integrations > Webhooks*, where an event is a noun and a verb ("Invoices: Fully
PAID"), and has never seen the API's names. ``NOUNS`` is the one table; labels, spellings, patterns and suggestions
follow from it. Sources of the words: ``bulkhooks/docs/nexudus.md``, "The words of the admin panel".
"""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Noun:
    """A thing that events happen to.

    ``names``: how the panel calls it, the first one for labels. ``prefixes``: the beginnings of the API's names that
    mean it. ``verbs``: by number of the event what happens, the panel's word first, then others that people write.
    """

    names: Sequence[str]
    prefixes: Sequence[str]
    verbs: Mapping[int, Sequence[str]]


_CREATED, _UPDATED, _DELETED = ("created",), ("updated",), ("deleted",)


def _three(created: int, updated: int, deleted: int) -> dict[int, Sequence[str]]:
    return {created: _CREATED, updated: _UPDATED, deleted: _DELETED}


NOUNS: tuple[Noun, ...] = (
    Noun(("Access control",), ("AccessControl",), {61: _UPDATED}),
    Noun(("Article",), ("BlogPost",), _three(4, 5, 43)),
    Noun(("Booking",), ("Booking",), _three(6, 7, 8)),
    Noun(("Chat message",), ("GlobalChatMessage",), {30: _CREATED}),
    Noun(("Check-in",), ("Checkin",), _three(47, 48, 49) | {63: ("attempt failed", "failed attempt")}),
    Noun(
        ("Community", "Community message", "Discussion board"),
        ("CommunityBoard",),
        {40: ("message created",), 39: ("thread created",)},
    ),
    Noun(("Community group",), ("CommunityGroup",), _three(85, 87, 86)),
    Noun(
        ("Contract",),
        ("CoworkerContract",),
        _three(62, 60, 77)
        | {
            10: ("activated",),
            14: ("first activated",),
            11: ("cancelled",),
            12: ("renewed",),
            13: ("upgraded/downgraded", "upgraded", "downgraded"),
        },
    ),
    Noun(("Credit note",), ("CoworkerInvoiceCreditNote",), {20: _CREATED}),
    Noun(
        ("Customer", "Member", "Contact"),
        ("Coworker",),
        _three(3, 2, 50)
        | {
            36: ("checked in", "check-in"),
            35: ("checked out", "check-out"),
            37: ("check-in failed", "failed check-in"),
            9: ("welcome email sent", "sent welcome email"),
        },
    ),
    Noun(("Customer message",), ("CoworkerMessage",), {51: _CREATED}),
    Noun(("Customer product",), ("CoworkerProduct",), _three(68, 69, 70)),
    Noun(("Customer payment method",), ("CoworkerPaymentMethod",), _three(88, 90, 89)),
    Noun(("Delivery",), ("Delivery",), {52: _CREATED, 53: ("assigned to customer", "assigned")}),
    Noun(("Event attendee",), ("CalendarEventAttendee",), _three(28, 29, 27)),
    Noun(("Event",), ("CalendarEvent",), _three(25, 26, 44)),
    Noun(("Floor plan",), ("FloorPlan",), _three(78, 80, 79)),
    Noun(("Floor plan desk", "Floor plans desk"), ("FloorPlanDesk",), _three(71, 73, 72)),
    Noun(("Help-desk",), ("HelpDesk",), {45: ("message created",), 46: ("reply created",)}),
    Noun(
        ("Invoice",),
        ("CoworkerInvoice",),
        _three(16, 18, 17)
        | {
            15: ("first created",),
            19: ("cancelled / refunded", "cancelled", "refunded"),
            24: ("awaiting payment", "payment awaiting"),
            23: ("received payment", "payment received"),
            22: ("failed payment", "payment failed"),
            21: ("fully paid", "paid"),
        },
    ),
    Noun(("Invoice ledger entry",), ("CoworkerInvoiceLedgerEntry",), _three(65, 67, 66)),
    Noun(("Location",), ("Business",), {84: _UPDATED}),
    Noun(
        ("Newsletter subscriber",),
        ("NewsLetterSubscriber",),
        {31: _CREATED, 32: ("subscribed",), 33: ("unsubscribed",), 34: ("removed from group",)},
    ),
    Noun(("Plan",), ("Tariff",), _three(74, 76, 75)),
    Noun(("Product",), ("Product",), _three(81, 83, 82)),
    Noun(("Proposal",), ("Proposal",), _three(54, 55, 56)),
    Noun(("Team",), ("Team",), _three(57, 58, 59)),
    Noun(
        ("Visitor",),
        ("Visitor",),
        {42: ("registered",), 41: ("checked in", "check-in"), 38: ("notification",), 64: _DELETED},
    ),
)

_CUSTOMER_WORDS = ("Customer", "Member", "Contact")
_FILLERS = frozenset({"a", "an", "the", "is", "was", "are", "were", "be", "been", "has", "have", "when", "or", "and"})
_STEMS = {
    "creating": "create", "created": "create", "updating": "update", "updated": "update", "deleting": "delete",
    "deleted": "delete", "activated": "activate", "activating": "activate", "canceled": "cancel",
    "cancelled": "cancel", "canceling": "cancel", "cancelling": "cancel", "renewed": "renew", "renewing": "renew",
    "upgraded": "upgrade", "upgrading": "upgrade", "downgraded": "downgrade", "downgrading": "downgrade",
    "checked": "check", "checking": "check", "failed": "fail", "failing": "fail", "sent": "send", "sending": "send",
    "refunded": "refund", "refunding": "refund", "received": "receive", "receiving": "receive", "awaiting": "await",
    "awaited": "await", "paid": "pay", "paying": "pay", "assigned": "assign", "assigning": "assign",
    "subscribed": "subscribe", "subscribing": "subscribe", "unsubscribed": "unsubscribe",
    "unsubscribing": "unsubscribe", "removed": "remove", "removing": "remove", "registered": "register",
    "registering": "register", "notified": "notification", "notify": "notification", "checkedin": "checkin",
    "checkedout": "checkout",
}  # fmt: skip
"""Forms of a verb, by the one that they are compared in."""

_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def label(number: int) -> str:
    """How the panel calls the event with this number (``Invoice fully paid``); ``""`` where it has no word for it."""
    return _labels().get(number, "")


def texts(number: int) -> list[str]:
    """Every noun with every verb that the panel has for the event with this number, in the singular."""
    return [f"{name} {verb}" for noun in NOUNS for name in noun.names for verb in noun.verbs.get(number, ())]


def words_in(text: str) -> list[str]:
    """The words of a text in the forms in which they are compared: singular, one tense, without fillers."""
    plain = unicodedata.normalize("NFKC", text).replace("'", "").replace("\u2019", "")
    # InvoiceCreate is two words; CREATED is one.
    parts = _HUMP.sub(" ", plain) if any(map(str.islower, plain)) else plain
    return [_stem(word) for word in map(str.casefold, _WORD.findall(parts)) if word not in _FILLERS]


def key_of(text: str) -> str:
    """The form in which spellings are compared: the words of a text in one piece, hyphens and spaces gone."""
    return "".join(words_in(text))


@functools.cache
def spellings(api_names: tuple[str, ...]) -> Mapping[str, frozenset[int]]:
    """Every spelling, in the form of ``key_of``, with the numbers of the events that it may mean.

    ``api_names`` are those of all events in the order of their numbers: people mix them with the panel's words
    (``Invoice CreateFirst``, ``Coworker created``).
    """
    found: dict[str, set[int]] = {}
    for noun in NOUNS:
        for number in noun.verbs:
            for name, verb in itertools.product(_noun_names(noun), _verb_names(noun, number, api_names)):
                words = verb.split()
                # Behind the noun, before it and around it: invoice first created, failed payment invoice, first invoice
                # created.
                for before in range(len(words) + 1):
                    key = key_of(" ".join([*words[:before], name, *words[before:]]))
                    found.setdefault(key, set()).add(number)
    return {key: frozenset(numbers) for key, numbers in found.items()}


def matching(pattern: re.Pattern[str]) -> list[int]:
    """Numbers of the events whose panel words (noun and verb, lower case, no spaces and hyphens) match a pattern."""
    return sorted(number for number, texts in _texts_for_patterns().items() if any(map(pattern.fullmatch, texts)))


def of_noun(text: str) -> list[int]:
    """Numbers of the events of the noun that a text is (``Customers``), in the panel's order; empty for other texts."""
    name = _nouns().get(key_of(text))
    return [number for noun in NOUNS if noun.names[0] == name for number in noun.verbs]


def noun_in(text: str) -> tuple[str, str]:
    """The panel's noun with which a text begins, and what follows (``Booking cancelled``); ``""`` where there is none.

    The longest counts: a customer product is no customer.
    """
    words = words_in(text)
    for count in range(len(words), 0, -1):
        if noun := _nouns().get("".join(words[:count])):
            return noun, " ".join(words[count:])
    return "", ""


def of_verb(text: str) -> list[int]:
    """Numbers of the events in which what a text says (``Created``) happens; empty for other texts."""
    key = key_of(text)
    return [number for noun in NOUNS for number, verbs in noun.verbs.items() if key in map(key_of, verbs)]


@functools.cache
def _labels() -> dict[int, str]:
    return {number: f"{noun.names[0]} {verbs[0]}" for noun in NOUNS for number, verbs in noun.verbs.items()}


@functools.cache
def _nouns() -> dict[str, str]:
    """The panel's first name of each noun by the form in which all of its names are compared."""
    return {key_of(name): noun.names[0] for noun in NOUNS for name in _noun_names(noun)}


@functools.cache
def _texts_for_patterns() -> dict[int, set[str]]:
    """By event its noun, in the singular and plural, and verb in one piece, as patterns are tried on them."""
    return {
        number: {
            "".join(_WORD.findall(f"{name} {verb}")).casefold()
            for singular in noun.names
            for name in (singular, _plural(singular))
            for verb in verbs
        }
        for noun in NOUNS
        for number, verbs in noun.verbs.items()
    }


def _plural(name: str) -> str:
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


def _stem(word: str) -> str:
    if len(word) > 3 and word.endswith("ies"):
        word = f"{word[:-3]}y"
    elif len(word) > 2 and word.endswith("s") and not word.endswith(("ss", "us")):
        word = word[:-1]
    return _STEMS.get(word, word)


def _noun_names(noun: Noun) -> Iterator[str]:
    """The panel's names, the API's, and those between the two (``Customer invoice`` for CoworkerInvoice)."""
    yield from noun.names
    for prefix in noun.prefixes:
        yield prefix
        if prefix.startswith("Coworker"):
            for customer in _CUSTOMER_WORDS:
                yield f"{customer} {prefix.removeprefix('Coworker')}"


def _verb_names(noun: Noun, number: int, api_names: Sequence[str]) -> Iterator[str]:
    """The panel's verbs of an event, and what the API's name has in their place (``CreateFirst``)."""
    verbs = noun.verbs[number]
    yield from verbs
    yield from map(" / ".join, itertools.permutations(verbs, 2))
    name = api_names[number - 1].replace("HelDesk", "HelpDesk")
    for prefix in noun.prefixes:
        if name.startswith(prefix) and name != prefix:
            yield name.removeprefix(prefix)
