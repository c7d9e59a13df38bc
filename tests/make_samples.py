"""Makes the inputs in samples/ anew: ``python -m tests.make_samples``."""

from __future__ import annotations

import csv
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.worksheet import Worksheet

SAMPLES = Path(__file__).parent.parent / "samples"

LOCATIONS = (
    (1001, "Harbour Shoreditch", "london"),
    (1002, "Harbour Bankside", "london"),
    (1003, "Harbour Soho", "london"),
    (1004, "Harbour King's Cross", "london; pilot"),
    (1005, "Harbour Canary Wharf", "london"),
    (1006, "Harbour Ancoats", "north"),
    (1007, "Harbour Deansgate", "north; pilot"),
    (1008, "Harbour Leeds Dock", "north"),
    (1009, "Harbour Ouseburn", "north"),
    (1010, "Harbour Grand Canal", "ireland"),
    (1011, "Harbour Cork Quay", "ireland"),
    (1012, "Harbour Titanic Quarter", "ireland"),
)

HEADER = ("Location", "Event", "Webhook URL", "Name", "Description", "Active", "Owner", "Go-live")

_HOOKS = "https://hooks.harbourdesks.example"
_LEDGER = "https://books.harbourdesks.example/paid/{BusinessId}"
_CRM = "https://crm.harbourdesks.example/nexudus?site={Location}"
_DESK = "https://desk.harbourdesks.example/in/{Owner}"
_BOOKINGS = f"{_HOOKS}/bookings/{{BusinessId}}"

ROLLOUT = (
    ("*", "BookingCreate", _BOOKINGS, "", "Access control opens the door", "yes", "Facilities", "2026-12-01"),
    ("@london", "BookingUpdate, BookingDelete", _BOOKINGS, "", "Access control", "yes", "Facilities", "2026-12-01"),
    ("1001-1012", "coworker create", _CRM, "CRM: new member at {Location}", "", "", "Sales", "2026-12-08"),
    ("Harbour Shoreditch; Harbour Bankside", "21", _LEDGER, "Ledger {BusinessId}", "", "yes", "Finance", "2026-12-15"),
    ("@north", "VisitorRegistered", f"{_HOOKS}/visitors", "Reception {Location}", "", "no", "Reception", "2027-01-11"),
    ("@ireland", "Checkin*", f"{_HOOKS}/checkins/{{Action}}", "", "Screens", "yes", "Facilities", "2027-01-11"),
    ("1004", "HelpDeskMessageCreated", _DESK, "Help desk pilot", "", "yes", "Community team", "2026-12-01"),
)


def onboarding_workbook(path: Path) -> None:
    """A rollout as an operations team keeps it: a title, the table, the locations, notes."""
    book = Workbook()
    sheet = book.active
    sheet.title = "Hooks"
    sheet["A1"] = "Harbour Desks: webhooks for the December rollout"
    sheet["A1"].font = Font(bold=True, size=14)
    sheet["A2"] = "Please keep one line an endpoint. Questions: operations."
    for row in ((), HEADER, *ROLLOUT):
        sheet.append(row)
    _dress(sheet, header=4, widths=(38, 28, 58, 30, 32, 8, 16, 12))
    places = book.create_sheet("Locations")
    for location in (("BusinessId", "Name", "Groups"), *LOCATIONS):
        places.append(location)
    _dress(places, header=1, widths=(12, 28, 18))
    notes = book.create_sheet("Notes")
    notes["A1"] = "Go-live dates were agreed with the site managers on 12 November."
    book.save(path)


def messy_workbook(path: Path) -> None:
    """One of each mistake, and some of what people do that is none."""
    book = Workbook()
    sheet = book.active
    sheet.title = "Hooks"
    url = "https://hooks.harbourdesks.example/in"
    rows = (
        ("Harbour Desks – second wave",),
        ("Location", "Event", "Webhook URL", "Enabled", "Account", "Remark"),
        ("1001", "BookingCreate", "", "yes", "", "the URL is missing"),
        ("2,002", "BookingCreate", url, "yes", "", "one id or two?"),
        ("Harbour Shorditch", "BookingCreate", url, "yes", "", "a slip in the location's name"),
        ("1003", "Bookng Create", url, "yes", "", "a slip in the event"),
        ("1004", "BookingCreate", "hooks.harbourdesks.example/in", "yes", "", "no https://"),
        ("1005", "BookingCreate", url, "perhaps", "", "neither yes nor no"),
        ("1006", "BookingCreate", url + "/{Site code}", "yes", "", "no such column"),
        ("1007", "BookingCreate", "=Hosts!B7", "yes", "", "a formula that was never calculated"),
        ("1008", "BookingCreate", "#REF!", "yes", "", "a formula that broke"),
        ("1-20000", "BookingCreate", url, "yes", "", "far too many"),
        ("1009", "BookingCreate", url, "yes", "acme", "nobody knows this account"),
        ("1010", "BookingCreate", "http://hooks.harbourdesks.example/in", "yes", "", "only a warning: not encrypted"),
        ("1011", "BookingCreate", "https://192.168.1.20/in", "yes", "", "only a warning: nobody outside gets there"),
        ("1012", "None", url, "yes", "", "only a warning: this event never happens"),
        ("\u00a01001\u200b ", "BookingCreate", f"{url}\u00a0", "Yes", "", "stray spaces do no harm"),
        ("1001", "6", url, "yes", "", "the same again: a duplicate"),
        ("001002.0", "Booking*", url, "1", "", "leading zeros and patterns do no harm"),
        ("Bokking", "Checkinn", "ftp:/nowhere", "maybe", "", "several mistakes in one row"),
    )
    for row in rows:
        sheet.append(row)
    sheet["C11"].data_type = "e"
    _dress(sheet, header=2, widths=(22, 18, 46, 10, 10, 44))
    sheet.append(("@london", "VisitorRegistered", url + "/visitors", "yes", "", "one URL for two rows: merged cells"))
    sheet.append(("@north", "VisitorRegistered", None, "yes", "", ""))
    sheet.merge_cells(start_row=sheet.max_row - 1, end_row=sheet.max_row, start_column=3, end_column=3)
    places = book.create_sheet("Locations")
    for location in (("BusinessId", "Name", "Groups"), *LOCATIONS):
        places.append(location)
    book.save(path)


def onboarding_text(path: Path) -> None:
    """The rollout as a spreadsheet in German exports it: semicolons, the ids written out."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow(("BusinessId", "Location", "Action", "URL", "Owner"))
        for number, name, _ in LOCATIONS:
            url = f"https://hooks.harbourdesks.example/bookings/{number}"
            writer.writerow((number, name, "BookingCreate, BookingDelete", url, "Facilities"))


def _dress(sheet: Worksheet, header: int, widths: tuple[int, ...]) -> None:
    for cell in sheet[header]:
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor="2F5D62")
        cell.alignment = Alignment(vertical="center")
    for letter, width in zip("ABCDEFGH", widths, strict=False):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = sheet.cell(header + 1, 1)


if __name__ == "__main__":
    onboarding_workbook(SAMPLES / "onboarding.xlsx")
    onboarding_text(SAMPLES / "onboarding.csv")
    messy_workbook(SAMPLES / "messy.xlsx")
