"""The 90 events that a webhook can be bound to, and the ways people write them.

Numbers and names are the API's (bulkhooks/docs/nexudus.md, Events), the number 45 with its own spelling.
"""

from __future__ import annotations

import difflib
import functools
import itertools
import re
from collections.abc import Collection, Iterator, Mapping

from bulkhooks import panel

_NAMES = """
    None
    CoworkerUpdate
    CoworkerCreate
    BlogPostCreate
    BlogPostUpdate
    BookingCreate
    BookingUpdate
    BookingDelete
    SendWelcomeEmail
    CoworkerContractActivate
    CoworkerContractCancel
    CoworkerContractRenew
    CoworkerContractUpgradeDowngrade
    CoworkerContractActivateFirst
    CoworkerInvoiceCreateFirst
    CoworkerInvoiceCreate
    CoworkerInvoiceDelete
    CoworkerInvoiceUpdate
    CoworkerInvoiceRefund
    CoworkerInvoiceCreditNote
    CoworkerInvoicePaid
    CoworkerInvoiceFailedPayment
    CoworkerInvoiceReceivedPayment
    CoworkerInvoiceAwaitingPayment
    CalendarEventCreate
    CalendarEventUpdate
    CalendarEventAttendeeDelete
    CalendarEventAttendeeCreate
    CalendarEventAttendeeUpdate
    GlobalChatMessageCreate
    NewsLetterSubscriberCreate
    NewsLetterSubscriberSubscribed
    NewsLetterSubscriberUnSubscribed
    NewsLetterSubscriberRemovedFromGroup
    CoworkerCheckout
    CoworkerCheckin
    CoworkerCheckinFailed
    VisitorNotification
    CommunityBoardNewThread
    CommunityBoardNewReply
    VisitorCheckedin
    VisitorRegistered
    BlogPostDelete
    CalendarEventDelete
    HelDeskMessageCreated
    HelpDeskCommentCreated
    CheckinCreated
    CheckinUpdated
    CheckinDeleted
    CoworkerDelete
    CoworkerMessageCreate
    DeliveryCreated
    DeliveryAssigned
    ProposalCreated
    ProposalUpdated
    ProposalDeleted
    TeamCreated
    TeamUpdated
    TeamDeleted
    CoworkerContractUpdate
    AccessControlUpdate
    CoworkerContractCreate
    FailedCheckin
    VisitorDeleted
    CoworkerInvoiceLedgerEntryCreate
    CoworkerInvoiceLedgerEntryDelete
    CoworkerInvoiceLedgerEntryUpdate
    CoworkerProductCreate
    CoworkerProductUpdate
    CoworkerProductDelete
    FloorPlanDeskCreate
    FloorPlanDeskDelete
    FloorPlanDeskUpdate
    TariffCreate
    TariffDelete
    TariffUpdate
    CoworkerContractDelete
    FloorPlanCreate
    FloorPlanDelete
    FloorPlanUpdate
    ProductCreate
    ProductDelete
    ProductUpdate
    BusinessUpdate
    CommunityGroupCreate
    CommunityGroupDelete
    CommunityGroupUpdate
    CoworkerPaymentMethodCreate
    CoworkerPaymentMethodDelete
    CoworkerPaymentMethodUpdate
"""

NAMES: tuple[str, ...] = tuple(_NAMES.split())
"""Event names; the event with number ``n`` is ``NAMES[n - 1]``."""

NEVER_FIRES = 1
"""``None``: legal, and never delivered."""

_LONGEST_PATTERN = 100
"""No name is half as long; a longer pattern would only take time."""

_ALSO_WRITTEN = {"helpdeskmessagecreated": 45}


def _folded(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


_NUMBERS = {_folded(name): number for number, name in enumerate(NAMES, start=1)} | _ALSO_WRITTEN


def name_of(number: int) -> str:
    """Name of the event with this number (1 to 90)."""
    if not 1 <= number <= len(NAMES):
        raise IndexError(f"there is no event {number}")
    return NAMES[number - 1]


def all_actions() -> Iterator[tuple[int, str]]:
    """Every event as ``(number, name)``, in the API's order."""
    return enumerate(NAMES, start=1)


def label_of(number: int) -> str:
    """How the admin panel calls the event with this number; ``""`` where it has no word for it (``None``)."""
    return panel.label(number)


def both_words(number: int) -> str:
    """The panel's words for an event, and the API's name in brackets: ``Plan created (TariffCreate)``."""
    label = label_of(number)
    return f"{label} ({name_of(number)})" if label else name_of(number)


_WITH_BRACKETS = re.compile(r"([^()*]+)\(([^()*]+)\)")


def match(text: str) -> list[int]:
    """Numbers of the events that ``text`` names, empty where it names none, or no single one.

    It may be the API's name or the panel's words (``panel``) in any case, spacing and tense, both as ``both_words`` has
    them, a number, or a pattern with ``*``. A pattern is tried on the API's names, and only where none of them matches
    on the panel's words; it never takes in ``None``, which nobody means by "all of them".
    """
    text = text.strip().replace("＊", "*")
    if two := _WITH_BRACKETS.fullmatch(text):
        first, second = match(two[1]), match(two[2])
        return first if first == second else []
    if "*" in text:
        return _match_pattern(text)
    if digits := re.fullmatch(r"0*(\d{1,9}?)(?:[.．]0+)?", text):
        number = int(digits[1])
        return [number] if 1 <= number <= len(NAMES) else []
    number = _NUMBERS.get(_folded(text), 0)
    if number:
        return [number]
    meant = panel.spellings(NAMES).get(panel.key_of(text), frozenset())
    return list(meant) if len(meant) == 1 else []


def _match_pattern(text: str) -> list[int]:
    if len(text) > _LONGEST_PATTERN:
        return []
    pattern = re.compile(".*".join(re.escape(_folded(part)) for part in text.split("*")))
    found = {number for name, number in _NUMBERS.items() if pattern.fullmatch(name)}
    return sorted(found - {NEVER_FIRES}) or panel.matching(pattern)


def nearest(text: str, count: int = 3) -> list[int]:
    """Numbers of the events closest in meaning to a text that names no single one, best first, and at most so many.

    Where it is a noun of the panel alone, or a verb alone, those are events of that noun, or with that verb; else the
    event that is spelt most like it, and others of the same noun.
    """
    key = panel.key_of(text)
    near = [*sorted(panel.spellings(NAMES).get(key, ())), *(panel.of_noun(text) or panel.of_verb(text))]
    if len(near) < count:
        noun, rest = panel.noun_in(text)
        if not noun:
            near += _closest(key, _plain_spellings(), 1)[:1]
            noun, rest = panel.noun_in(label_of(near[0]))[0], text
        of_noun = {panel.key_of(label_of(number)): [number] for number in panel.of_noun(noun)}
        near += _closest(panel.key_of(f"{noun} {rest}"), of_noun)
    return list(dict.fromkeys(near))[:count]


@functools.cache
def _plain_spellings() -> dict[str, list[int]]:
    """The API's name of each event, and its nouns and verbs on the panel, in the form in which they are compared."""
    found = {panel.key_of(name): [number] for number, name in all_actions() if number != NEVER_FIRES}
    for number in range(1, len(NAMES) + 1):
        for text in panel.texts(number):
            found.setdefault(panel.key_of(text), []).append(number)
    return found


def _closest(text: str, known: Mapping[str, Collection[int]], count: int = 3) -> list[int]:
    """Events of the keys most like a text; the slow comparison is only of those that share pairs of letters."""
    pairs = _pairs(text)
    likely = sorted(known, key=lambda key: -2 * len(pairs & _pairs(key)) / (len(pairs) + len(_pairs(key)) or 1))
    keys = difflib.get_close_matches(text, likely[:_COMPARED], n=count, cutoff=0.0)
    return [number for key in keys for number in sorted(known[key])]


_COMPARED = 8


@functools.lru_cache(maxsize=1_000)
def _pairs(text: str) -> frozenset[str]:
    return frozenset(map("".join, itertools.pairwise(f" {text} ")))
