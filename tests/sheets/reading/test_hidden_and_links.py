"""What a person does not see in a workbook, and what stands behind what they see."""

from __future__ import annotations

import pytest

from bulkhooks.errors import InputError, WarningCode
from bulkhooks.sheets.reading.reader import read

HEADER = ["BusinessId", "Action", "URL"]
SHOWN = "https://hooks.example.com/shown"


def row(number, url=SHOWN):
    return [number, "BookingCreate", url]


def coded(remarks):
    return [(remark.code, remark.place) for remark in remarks if not isinstance(remark, str)]


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_hidden_sheet_is_left_alone_unless_it_is_named(book, state):
    """With a warning; one without a header is not mentioned, and the table of locations may be hidden."""

    def hide(made):
        for name in ("Old", "Lists", "Locations"):
            made[name].sheet_state = state

    path = book(
        {
            "Old": [HEADER, row(2001)],
            "Hooks": [HEADER, row("Soho")],
            "Lists": [["yes"], ["no"]],
            "Locations": [["BusinessId", "Name"], [1001, "Soho"]],
        },
        hide,
    )
    table = read([path])
    assert table.rows["place"].tolist() == ["Hooks!2"]
    assert coded(table.warnings) == [(WarningCode.HIDDEN_SHEET, "Old")]
    assert table.locations.name_of == {1001: "Soho"}
    named = read([path], sheets=["old"])
    assert named.rows["place"].tolist() == ["Old!2"]
    assert named.warnings == []


def test_a_workbook_whose_only_table_is_hidden(book):
    """Says so, and how to read it."""

    def hide(made):
        made["Hooks"].sheet_state = "hidden"

    path = book({"Notes": [["hello"]], "Hooks": [HEADER, row(1)]}, hide)
    with pytest.raises(InputError, match=r"only hidden ones \('Hooks'\).*--sheet 'Hooks'"):
        read([path])


def test_hidden_and_filtered_rows_count_with_a_warning(book):
    """A filter hides rows as a person does; a hidden column or header is nothing to tell."""

    def hide(made):
        sheet = made["Hooks"]
        sheet.auto_filter.ref = "A1:C4"
        sheet.auto_filter.add_filter_column(0, ["1002"])
        for number in (1, 2, 4, 9):
            sheet.row_dimensions[number].hidden = True
        sheet.column_dimensions["B"].hidden = True

    table = read([book({"Hooks": [HEADER, row(1001), row(1002), row(1003)]}, hide)])
    assert table.rows["BusinessId"].tolist() == ["1001", "1002", "1003"]
    assert [(flaw.row, flaw.code, flaw.place, flaw.warning) for flaw in table.flaws] == [
        (0, WarningCode.HIDDEN_ROW, "Hooks!2", True),
        (2, WarningCode.HIDDEN_ROW, "Hooks!4", True),
    ]


def test_a_url_that_is_a_link_is_what_it_links_to(book):
    """Also a formula of one, with or without its value."""

    def link(made):
        cell = made["Hooks"]["C2"]
        cell.value, cell.hyperlink = "Click here", "https://hooks.example.com/real#part"
        made["Hooks"]["C3"].value = '=HYPERLINK("https://hooks.example.com/f","here")'
        made["Hooks"]["D4"].hyperlink = "https://hooks.example.com/note"

    table = read([book({"Hooks": [HEADER, row(1), row(2), [*row(3), "note"]]}, link)])
    assert table.rows["URL"].tolist() == ["https://hooks.example.com/real#part", "https://hooks.example.com/f", SHOWN]
    assert table.flaws == []


def test_an_address_counts_before_what_it_links_to(book):
    """With a warning, unless both are the same but for their spelling."""

    def link(made):
        made["Hooks"]["C2"].hyperlink = "https://hooks.example.com/real"
        made["Hooks"]["C3"].hyperlink = f"{SHOWN}/"

    table = read([book({"Hooks": [HEADER, row(1), row(2)]}, link)])
    assert table.rows["URL"].tolist() == [SHOWN, SHOWN]
    assert [(flaw.code, flaw.place) for flaw in table.flaws] == [(WarningCode.ODD_URL, "Hooks!C2")]


def test_checkboxes_are_yes_and_no(book):
    """As spreadsheets store them."""
    table = read([book({"Hooks": [[*HEADER, "Active"], [*row(1), True], [*row(2), False]]})])
    assert table.rows["Active"].tolist() == ["true", "false"]


def test_a_row_of_formulas_without_values_stays_a_row_through_its_results(book):
    """Its cells come back empty, and its Status says that it waits."""
    results = [
        ["Row", *HEADER, "Status", "WebhookId", "ErrorCode"],
        ["Hooks!2", *row(1), "created", 77, None],
        ["Hooks!3", None, None, None, "invalid", None, "formula-error"],
        ["Hooks!4", None, None, None, None, None, None],
    ]
    assert read([book({"Results": results})]).rows["place"].tolist() == ["Results!2", "Results!3"]
