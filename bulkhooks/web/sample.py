"""A workbook to try the page with: a rollout of 24 webhooks, with three mistakes as people make them."""

from __future__ import annotations

from pathlib import Path

from bulkhooks.sheets.writing.input_workbook import write_input

NAME = "sample.xlsx"
_COLUMNS = ("BusinessId", "Action", "URL", "Name", "Active", "Team")
_ROWS = (
    ("1001-1008", "BookingCreate", "https://hooks.example.com/bookings/{BusinessId}", None, "yes", "Facilities"),
    ("1001, 1002; 1003", "CoworkerCreate", "https://crm.example.com/new-member", "CRM {BusinessId}", None, "Sales"),
    ("1004", "BokingUpdate", "https://hooks.example.com/bookings/1004", None, "yes", "Facilities"),
    ("1005", "CoworkerInvoicePaid", "htps://books.example.com/paid", "Ledger {BusinessId}", "yes", "Finance"),
    ("1006", "VisitorRegistered", "https://hooks.example.com/visitors", None, "maybe", "Reception"),
    ("1001-1010", "CoworkerInvoicePaid", "https://books.example.com/paid/{BusinessId}", None, "yes", "Finance"),
)


def write_sample(path: Path) -> None:
    """Write the workbook. Raises ``OSError``."""
    write_input(path, _COLUMNS, _ROWS)
