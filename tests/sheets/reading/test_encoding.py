"""Text in every encoding that people's programs write."""

from __future__ import annotations

import io

import pytest

from bulkhooks.sheets.reading.encoding import as_utf8
from bulkhooks.sheets.reading.reader import read

HEADER = "BusinessId,Action,URL,Name"
ROW = "1001,BookingCreate,https://hooks.example.com/in,"


@pytest.fixture
def table(tmp_path):
    def table(content):
        path = tmp_path / "hooks.csv"
        path.write_bytes(content)
        return read([str(path)])

    return table


def names(table):
    return table.rows["Name"].tolist()


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16"])
@pytest.mark.parametrize("name", ["one", "Zürich", "東京"])
def test_utf_16_with_and_without_a_byte_order_mark(table, encoding, name):
    """Known by its zeros; that is no reason to warn."""
    made = table(f"{HEADER}\n{ROW}{name}\n".encode(encoding))
    assert names(made) == [name]
    assert made.warnings == []


@pytest.mark.parametrize("wrong", [1, 3])
def test_where_nearly_all_is_utf_8_only_the_rest_is_read_otherwise(table, wrong):
    """Every other umlaut stays what it is, those in the same record too."""
    good = f"{ROW}Zürich Straße\n".encode() * 5
    bad = f"{ROW}Málaga ".encode() + "café\n".encode("cp1252")
    made = table(f"{HEADER}\n".encode() + good + bad * wrong + good)
    assert names(made) == ["Zürich Straße"] * 5 + ["Málaga café"] * wrong + ["Zürich Straße"] * 5
    assert made.warnings == []
    told = [(flaw.row, flaw.code, flaw.place, flaw.warning) for flaw in made.flaws]
    assert told == [(row, "legacy-encoding", f"hooks.csv:{row + 2}", True) for row in range(5, 5 + wrong)]
    assert "Windows-1252" in made.flaws[0].sentence


@pytest.mark.parametrize(
    ("encoding", "name", "shown"),
    [
        ("cp1252", "Größe und Müller, € 5", "Windows-1252"),
        ("cp1252", "café", "Windows-1252"),
        ("cp1250", "Łódź Świętochłowice żółć", "Windows-1250"),
        ("cp1251", "Москва Тверская", "Windows-1251"),
        ("koi8-r", "Москва Тверская", "KOI8-R"),
        ("cp1253", "Αθήνα κέντρο", "Windows-1253"),
        ("cp932", "東京タワー会議室", "CP932"),
    ],
)
def test_else_the_whole_text_is_read_as_what_it_probably_is(table, encoding, name, shown):
    """The encoding is named, and the first record that has it."""
    made = table(f'{HEADER}\n{ROW}one\n{ROW}"{name}"\n'.encode(encoding))
    assert names(made) == ["one", name]
    assert made.warnings == []
    (warning,) = made.flaws
    assert (warning.row, warning.code, warning.place) == (1, "legacy-encoding", "hooks.csv:3")
    assert shown in warning.sentence


def test_a_legacy_header_is_a_first_record_too(table):
    """And a record of several lines is one."""
    made = table(f'Title\n{HEADER},Größe\n{ROW}"two\nlines",x\n'.encode("cp1252"))
    assert made.extras.columns.tolist() == ["Größe"]
    assert made.warnings[0].place == "hooks.csv:1"
    made = table(f'{HEADER}\n{ROW}"two\nlines"\n{ROW}ü\n'.encode("cp1252"))
    assert made.flaws[0].place == "hooks.csv:3"


def test_what_is_no_row_has_its_own_warning_and_rows_have_theirs(table):
    """A header, a line of totals; and records of several lines, each told once."""
    good = f"{ROW}Zürich\n".encode() * 8
    several = f'{ROW}"caf'.encode() + b"\xe9\r\nna" + b'\xefve"\r\n'
    made = table("Größe,Straße\n".encode("cp1252") + f"{HEADER}\n".encode() + good + several * 2 + b"Total,,,\xfc\n")
    assert names(made)[8:] == ["café\r\nnaïve"] * 2
    assert [flaw.row for flaw in made.flaws if flaw.code == "legacy-encoding"] == [8, 9]
    whole = [warning.place for warning in made.warnings if getattr(warning, "code", "") == "legacy-encoding"]
    assert whole == ["hooks.csv:1", "hooks.csv:12"]


def test_pieces_of_a_large_text_may_end_anywhere():
    """A letter of several bytes between two pieces is one letter, in every encoding."""
    text = f"BusinessId{' ' * 9000}" + "Москва Тверская, " * 150_000
    for encoding in ("utf-8", "utf-16-le", "cp1251"):
        found = as_utf8("hooks.csv", io.BytesIO(text.encode(encoding)))
        found.file.seek(0)
        assert found.file.read().decode() == text
