"""The example rows of the template. A row that still says exactly this was left standing, and is never sent."""

from __future__ import annotations

from collections.abc import Mapping

EXAMPLES: tuple[Mapping[str, str], ...] = (
    {
        "BusinessId": "1001",
        "Action": "BookingCreate",
        "URL": "https://hooks.example.com/bookings",
        "Description": "Example: one event of one location. Write over it or delete it.",
    },
    {
        "BusinessId": "1001-1010",
        "Action": "CoworkerCreate, CoworkerUpdate",
        "URL": "https://hooks.example.com/{BusinessId}/{Action}",
        "Description": "Example: two events of ten locations make 20 webhooks.",
    },
    {
        "BusinessId": "@london",
        "Action": "Booking*",
        "URL": "https://hooks.example.com/london",
        "Description": "Example: every booking event of a group in the sheet Locations.",
    },
)


def is_example(fields: Mapping[str, str]) -> bool:
    """Whether a row is one of the examples, to the letter."""
    return any(all(fields.get(name) == text for name, text in example.items()) for example in EXAMPLES)
