"""The template: it can be filled in without a manual, and nothing in it is sent unless somebody wrote it."""

from __future__ import annotations

import re

import openpyxl
import pytest

from bulkhooks.actions import NAMES, match
from bulkhooks.errors import OutputError, UsageError
from bulkhooks.sheets.examples import EXAMPLES, is_example
from bulkhooks.sheets.reading.locations import Locations
from bulkhooks.sheets.reading.reader import read
from bulkhooks.sheets.template.events import described_events
from bulkhooks.sheets.template.workbook import write_template
from bulkhooks.sheets.values import LocationLine

LOCATIONS = [
    LocationLine(1001, "London Soho", "london, uk"),
    LocationLine(1002, "東京", network="Harbour", suspended="yes"),
]


@pytest.fixture
def path(tmp_path):
    """A template with two locations."""
    write_template(tmp_path / "hooks.xlsx", LOCATIONS)
    return tmp_path / "hooks.xlsx"


def test_hooks_are_seen_first_with_a_note_on_every_heading(path):
    """The sheet to fill in is open, its header stays in sight, and each heading says what may be written."""
    book = openpyxl.load_workbook(path)
    sheet = book["Hooks"]
    assert book.active.title == "Hooks"
    assert [cell.value for cell in sheet[1]] == ["BusinessId", "Action", "URL", "Name", "Description", "Active"]
    assert all(cell.comment and cell.font.b for cell in sheet[1])
    assert sheet.freeze_panes == "A2"


def test_drop_downs_offer_and_never_refuse(path):
    """Events, locations and yes or no can be picked; something else may be typed after a warning at most."""
    checks = openpyxl.load_workbook(path)["Hooks"].data_validations.dataValidation
    by_column = {str(check.sqref)[0]: check for check in checks}
    assert by_column["B"].formula1 == "Events!$B$2:$B$91"
    assert by_column["A"].formula1.startswith("Locations!$B$2:")
    assert by_column["F"].formula1 == '"yes,no"'
    assert all(check.type == "list" for check in checks)
    assert all(check.errorStyle == "warning" or not check.showErrorMessage for check in checks)


def test_events_are_explained_in_plain_words(path):
    """All 90 events, with number, name and one sentence each, no two of them the same."""
    header, *rows = openpyxl.load_workbook(path)["Events"].iter_rows(values_only=True)
    assert len(header) == 4
    assert [(number, name) for number, _, name, _ in rows] == list(enumerate(NAMES, start=1))
    assert len({sentence for _, _, sentence in described_events()}) == 90


def test_what_the_list_of_events_offers_is_understood(path):
    """It has the panel's words and the API's, and is read back as that event."""
    offered = [cell.value for (cell,) in openpyxl.load_workbook(path)["Events"]["B2:B91"]]
    assert [match(text) for text in offered] == [[number] for number in range(1, 91)]
    assert offered[73] == "Plan created (TariffCreate)"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("BookingDelete", "booking"),
        ("CoworkerInvoicePaid", "paid"),
        ("VisitorRegistered", "visitor"),
        ("FloorPlanDeskDelete", "desk"),
        ("TeamDeleted", "team"),
        ("BusinessUpdate", "location"),
        ("CommunityGroupUpdate", "group"),
        ("CoworkerPaymentMethodDelete", "payment method"),
    ],
)
def test_a_sentence_stands_beside_its_own_event(name, words):
    """The sentences have not slipped against the names."""
    sentences = {event: sentence for _, event, sentence in described_events()}
    assert words in sentences[name].lower()


def test_locations_are_filled_in(path):
    """The table of locations has the header that is read, ids as numbers, the rest as text, and is read again."""
    rows = list(openpyxl.load_workbook(path)["Locations"].iter_rows(values_only=True))
    assert rows == [
        ("BusinessId", "Name", "Groups", "Network", "Suspended"),
        (1001, "London Soho", "london, uk", None, None),
        (1002, "東京", None, "Harbour", "yes"),
    ]
    assert Locations.read(str(path)).rows() == LOCATIONS


def test_examples_stand_there_to_the_letter(path):
    """The grey rows are those that are recognised and never sent."""
    header, *rows = openpyxl.load_workbook(path)["Hooks"].iter_rows(values_only=True)
    assert len(rows) == len(EXAMPLES)
    for values in rows:
        assert is_example({name: value or "" for name, value in zip(header, values, strict=True)})


def test_what_is_filled_in_is_read_and_nothing_else(path):
    """Neither the examples nor the other sheets are taken for input; a row that was written is, as it was written."""
    book = openpyxl.load_workbook(path)
    for column, value in enumerate(["London Soho", "BookingCreate, 7", "https://hooks.example.com/a"], start=1):
        book["Hooks"].cell(5, column).value = value
    book.save(path)
    table = read([str(path)])
    assert table.rows["place"].tolist() == ["Hooks!5"]
    assert table.rows[["BusinessId", "Action", "URL"]].iloc[0].tolist() == [
        "London Soho",
        "BookingCreate, 7",
        "https://hooks.example.com/a",
    ]
    assert len(table.sources) == 1


def test_checks_point_at_what_is_there(path):
    """Every rule is within what Excel takes, and every range that a rule names exists."""
    book = openpyxl.load_workbook(path)
    rules = [rule for formatted in book["Hooks"].conditional_formatting for rule in formatted.rules]
    assert len(rules) == 8
    for rule in rules:
        (formula,) = rule.formula
        assert len(formula) < 8_192
        outside_texts = re.sub('"[^"]*"', "", formula)
        assert outside_texts.count("(") == outside_texts.count(")")
        assert set(re.findall(r"\b(?:Location|Event)(?:Id|Name)\w+", formula)) <= set(book.defined_names)


def test_a_template_never_takes_the_place_of_one_that_was_filled_in(path):
    """A file of that name is left as it is, and the sentence names it."""
    before = path.read_bytes()
    with pytest.raises(OutputError, match=r"hooks\.xlsx is there already"):
        write_template(path)
    assert path.read_bytes() == before


def test_another_suffix_is_refused(tmp_path):
    """A template is a workbook."""
    with pytest.raises(UsageError, match=r"\.xlsx"):
        write_template(tmp_path / "hooks.csv")
    assert list(tmp_path.iterdir()) == []
