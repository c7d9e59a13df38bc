"""Records of delimited text that are not what they were meant to be."""

from __future__ import annotations

import pytest

from bulkhooks.errors import InputError
from bulkhooks.sheets.reading.reader import read
from tests.sheets.tables import expanded

HEADER = "BusinessId,Action,URL,Description"
RIGHT = "1009,BookingCreate,https://hooks.example.com/z,right"


@pytest.fixture
def table(tmp_path):
    def table(text, name="hooks.csv"):
        path = tmp_path / name
        path.write_text(text, "utf-8", newline="")
        return read([str(path)])

    return table


def told(table):
    return [(problem.code, problem.place) for problem in expanded(table).problems]


@pytest.mark.parametrize(
    "record",
    [
        "1001,BookingCreate,https://hooks.example.com/a?x=1,2,ok",
        "1001,BookingCreate,BookingUpdate,https://hooks.example.com/a,ok",
        "1001,nothing,https://hooks.example.com/a,ok,,,x",
    ],
)
@pytest.mark.parametrize("above", [0, 40])
def test_a_record_with_more_fields_than_the_header_is_invalid(table, record, above):
    """Wherever it stands, at its place, with what to do, and with nothing else said of it."""
    made = table("\n".join([HEADER, *[RIGHT] * above, record, RIGHT]))
    (problem,) = [problem for problem in expanded(made).problems if not problem.warning]
    assert (problem.code, problem.place) == ("extra-fields", f"hooks.csv:{above + 2}")
    assert "in quotes" in problem.sentence
    assert expanded(made).webhooks["status"].tolist()[above] == "invalid"


def test_empty_fields_past_the_header_do_no_harm(table):
    """Delimiters at the end of records, with or without one at that of the header."""
    made = table(f"{HEADER}\n{RIGHT},,,\n{RIGHT},,\n")
    assert told(made) == []
    assert made.extras.columns.tolist() == []
    assert told(table(f"{HEADER},\n{RIGHT},a note\n")) == []


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("space", [" ", "   "])
def test_a_space_before_a_quote_counts_for_nothing(table, delimiter, space):
    """As programs write it that put a space behind each delimiter."""
    between = delimiter + space
    lines = [
        ["BusinessId", "URL", "Action"],
        ["1001", "https://hooks.example.com/in", '"BookingCreate, BookingUpdate"'],
    ]
    made = table("\n".join(between.join(line) for line in lines))
    assert expanded(made).webhooks["action"].tolist() == [6, 7]


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        (
            ['1001,BookingCreate,https://hooks.example.com/a,"12 inch', RIGHT.replace("right", 'the 14" one')],
            "1009 BookingCreate",
        ),
        (
            ['1001,BookingCreate,https://hooks.example.com/a,"12 inch', RIGHT, RIGHT, RIGHT.replace("right", '"x"')],
            "3 records are in this cell",
        ),
        (['"1001,BookingCreate,https://hooks.example.com/a,ok', f'"{RIGHT}'], "1009"),
        (
            [
                '"1001","BookingCreate","https://hooks.example.com/a","ok',
                '"1002","BookingDelete","https://h.io/b","ok"',
            ],
            "1002",
        ),
    ],
)
def test_a_quote_that_swallows_records_is_invalid(table, lines, named):
    """The records in it are named, and the file is read on behind it."""
    made = table("\n".join([HEADER, *lines, RIGHT]))
    (problem,) = expanded(made).problems
    assert (problem.code, problem.place) == ("stray-quote", "hooks.csv:2")
    assert named in problem.sentence
    assert expanded(made).webhooks["status"].tolist() == ["invalid", "planned"]


def test_a_quote_that_nothing_closes_is_invalid(table):
    """What stands before it is read; what it has in it is told."""
    made = table(f'{HEADER}\n{RIGHT}\n1001,BookingCreate,https://hooks.example.com/a,"12 inch\n{RIGHT}\n{RIGHT}\n')
    (problem,) = expanded(made).problems
    assert (problem.code, problem.place) == ("stray-quote", "hooks.csv:3")
    assert "2 records are in this cell" in problem.sentence
    made = table(f'{HEADER}\n{RIGHT}\n1001,BookingCreate,https://hooks.example.com/a,"12 inch')
    assert told(made) == [("stray-quote", "hooks.csv:3")]


@pytest.mark.parametrize(
    "record",
    [
        '"1001\n1002\n1003",BookingCreate,https://hooks.example.com/a,ok',
        '"1001, 1002, 1003\n1004, 6, 1006",BookingCreate,https://hooks.example.com/a,ok',
        '1001,"BookingCreate\nBookingUpdate, BookingDelete\nTeamCreated",https://hooks.example.com/a,ok',
        '1001,BookingCreate,https://hooks.example.com/a,"for Ann\nsee https://w.example.com, page 3\n\n""end"""',
        '1001,BookingCreate,https://hooks.example.com/a,"one, two\nthree, four, https://wiki.example.com\nfive"',
    ],
)
def test_cells_of_several_lines_stay_valid(table, record):
    """Ids, events and descriptions may have as many as they like."""
    assert told(table(f"{HEADER}\n{record}\n{RIGHT}\n")) == []


def test_results_are_never_taken_for_swallowed_records(table):
    """What the program itself wrote is as it was meant."""
    made = table(
        "Row,BusinessId,Action,URL,Status,WebhookId,Note\n"
        'h.csv:2,1001,6,https://h.io/a,failed,,"x\nh,1002,BookingCreate,https://h.io/b"\n'
    )
    assert made.flaws == []


def test_a_record_of_very_many_fields_is_refused(table):
    """It is no table, and would not fit into memory as one."""
    with pytest.raises(InputError, match="300,003 fields"):
        table(f"{HEADER}\n{RIGHT}{',' * 299_999}\n")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_large_texts_are_read_with_every_line_end(table, end):
    """Pieces of it may end between the two characters of one."""
    made = table(end.join([HEADER, *[RIGHT] * 40_000, ""]))
    assert len(made.rows) == 40_000
    assert made.flaws == []


@pytest.mark.parametrize("code", ["extra-fields", "stray-quote"])
def test_such_a_record_stays_invalid_in_its_results(table, code):
    """Its cells may look right and are a part of what was meant; until its ErrorCode is emptied it is not sent."""
    header = "Row,BusinessId,Action,URL,Status,WebhookId,ErrorCode"
    made = table(
        f"{header}\nh.csv:2,1001,6,https://h.io/in,invalid,,{code}\nh.csv:3,1002,6,https://h.io/in,invalid,,\n"
    )
    assert told(made) == [(code, "hooks.csv:2")]
    assert expanded(made).webhooks["status"].tolist() == ["invalid", "planned"]


@pytest.mark.parametrize("column", ["Location", "Action", "Description"])
def test_a_quote_that_swallows_locations_by_name_and_events_by_number_is_found(table, column):
    """A number beside an address is an event."""
    one = {"Location": "Harbour", "Action": "6", "URL": "https://hooks.example.com/a", "Description": "x"}
    first = ",".join('"' * (name == column) + text for name, text in one.items())
    made = table(
        f'{",".join(one)}\n{first}\nMill,7,https://hooks.example.com/b,y\nMill,8,https://hooks.example.com/c,"z"\n'
    )
    assert told(made) == [("stray-quote", "hooks.csv:2")]


def test_lists_of_numbers_on_several_lines_are_no_records(table):
    """Without an address beside them they are the ids of a cell."""
    made = table(f'{HEADER}\n"1001, 6\n1002, 7",BookingCreate,https://hooks.example.com/a,"6, 7\n8, 9"\n')
    assert told(made) == []
