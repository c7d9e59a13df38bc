"""What sets each of the 90 events off, in plain words, for people who fill in a sheet.

The names and numbers are those of ``bulkhooks.actions``; the sentences are read from the names.
"""

from __future__ import annotations

from bulkhooks.actions import all_actions

_SENTENCES = """
    Nothing: it is never delivered
    Something about a customer (member or contact) is changed
    A customer (member or contact) is added
    A blog post is written
    A blog post is changed
    A booking is made
    A booking is changed
    A booking is cancelled or deleted
    The welcome e-mail goes out to a customer
    A customer's contract begins
    A customer's contract is cancelled
    A customer's contract is renewed
    A customer's contract moves to a bigger or a smaller plan
    A customer's very first contract begins
    A customer gets their very first invoice
    A customer gets an invoice
    A customer's invoice is deleted
    A customer's invoice is changed
    A customer's invoice is paid back
    A credit note is made for a customer's invoice
    A customer's invoice is fully paid
    A payment of a customer's invoice fails
    A payment for a customer's invoice comes in
    A customer's invoice waits for a payment to arrive
    An event is put into the calendar
    An event in the calendar is changed
    Someone is taken off the list of an event's attendees
    Someone signs up to attend an event
    An attendee's entry for an event is changed
    Someone writes in the chat that everyone sees
    Someone is added to the newsletter's readers
    Someone subscribes to the newsletter
    Someone unsubscribes from the newsletter
    A reader of the newsletter is taken out of a group
    A customer checks out and leaves the space
    A customer checks in at the space
    A customer tries to check in and is turned away
    A host is told that a visitor has come
    Someone opens a new thread on the community board
    Someone replies in a thread of the community board
    A visitor checks in
    A visitor is announced (registered)
    A blog post is deleted
    An event is taken out of the calendar
    Someone writes a new message to the help desk
    Someone comments on a help desk message
    A check-in is recorded
    A recorded check-in is changed
    A recorded check-in is deleted
    A customer (member or contact) is deleted
    A customer is sent a message
    A parcel or letter for a customer is recorded
    A parcel or letter is assigned to a customer
    A proposal is written
    A proposal is changed
    A proposal is deleted
    A team is made
    A team is changed
    A team is deleted
    A customer's contract is changed
    What a customer may open (access control) is changed
    A customer's contract is made
    A check-in fails
    A visitor is deleted
    A line is added to a customer's account ledger
    A line of a customer's account ledger is deleted
    A line of a customer's account ledger is changed
    A customer buys or is given a product
    A product that a customer has is changed
    A product is taken away from a customer
    A desk or office is drawn into a floor plan
    A desk or office is taken out of a floor plan
    A desk or office in a floor plan is changed
    A plan (price list of a membership) is made
    A plan (price list of a membership) is deleted
    A plan (price list of a membership) is changed
    A customer's contract is deleted
    A floor plan is made
    A floor plan is deleted
    A floor plan is changed
    A product is put on sale
    A product is deleted
    A product is changed
    The location's own settings are changed
    A community group is made
    A community group is deleted
    A community group is changed
    A customer's payment method is added
    A customer's payment method is removed
    A customer's payment method is changed
"""


def described_events() -> list[tuple[int, str, str]]:
    """Every event as ``(number, name, what sets it off)``, in the API's order."""
    sentences = [line.strip() for line in _SENTENCES.strip().splitlines()]
    return [(number, name, sentence) for (number, name), sentence in zip(all_actions(), sentences, strict=True)]
