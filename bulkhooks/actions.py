"""The 90 events that a webhook can be bound to, and the ways people write them.

Numbers and names are the API's (bulkhooks/docs/nexudus.md, Events), the number 45 with its own spelling.
"""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Iterator

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


def match(text: str) -> list[int]:
    """Numbers of the events that ``text`` names: a name in any case and spacing, a number, or a pattern with ``*``.

    Empty where it names none. A pattern never takes in ``None``, which nobody means when they say "all of them".
    """
    text = text.strip().replace("＊", "*")
    if "*" in text:
        if len(text) > _LONGEST_PATTERN:
            return []
        pattern = "*".join(_folded(part) for part in text.split("*"))
        found = {number for name, number in _NUMBERS.items() if fnmatch.fnmatchcase(name, pattern)}
        return sorted(found - {NEVER_FIRES})
    if digits := re.fullmatch(r"0*(\d{1,9}?)(?:[.．]0+)?", text):
        number = int(digits[1])
        return [number] if 1 <= number <= len(NAMES) else []
    number = _NUMBERS.get(_folded(text), 0)
    return [number] if number else []


def nearest(text: str, count: int = 3) -> list[str]:
    """The names closest to a misspelt one, best first; always as many, for a list of 90 has no better answer."""
    spelt = {_folded(name): name for name in NAMES}
    return [spelt[close] for close in difflib.get_close_matches(_folded(text), spelt, n=count, cutoff=0.0)]
