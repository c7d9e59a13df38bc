"""From a dropped file to what would be sent, over plain HTTP."""

from __future__ import annotations

import io
import re
import zipfile

import openpyxl
import pytest

from bulkhooks import Job, check
from tests.web.server import PATIENCE, plan, send, text_of, until, upload

MESSY = b"""Where,What,Endpoint,Owner
1001,BookingCreate,https://a.example/in,Ann
1002,BokingCreate,https://a.example/in,Bob
"2,003",6,https://a.example/in,Cy
1004,6,htps://a.example/in,Dee
"""
HOOKS = MESSY.replace(b"Where,What,Endpoint", b"BusinessId,Action,URL")


def correct(client, sheet, row, field, text):
    """Write into a cell, as the page's script does."""
    return client.post(f"{sheet}/cell", data={"row": row, "field": field, "text": text}).json()


def test_every_wrong_cell_is_marked_with_the_sentence_of_check(person, tmp_path):
    shown = upload(person, "hooks.csv", HOOKS)
    assert shown.status_code == 200
    (tmp_path / "hooks.csv").write_bytes(HOOKS)
    problems = check(Job(input=str(tmp_path / "hooks.csv"))).problems
    assert len(problems) == 3
    assert all(problem.sentence in text_of(shown) for problem in problems)
    assert shown.text.count('aria-invalid="true"') == 3
    assert "3 rows are wrong" in text_of(shown)
    assert "hooks.csv:2" not in shown.text
    assert "hooks.csv:2" in person.get(f"{shown.url.path}?show=all").text


def test_a_corrected_cell_is_checked_at_once_and_the_file_comes_back_corrected(person, tmp_path):
    sheet = upload(person, "hooks.csv", HOOKS).url.path
    still = correct(person, sheet, 1, "Action", "BookngCreate")
    assert "Unknown event" in still["rows"]["1"]
    right = correct(person, sheet, 1, "Action", " BookingCreate ")
    assert "aria-invalid" not in right["rows"]["1"]
    assert "2 rows are wrong" in text_of_fragment(right["summary"])
    correct(person, sheet, 2, "BusinessId", "2003")
    last = correct(person, sheet, 3, "URL", "https://a.example/in")
    assert "every row is right" in last["summary"]
    copy = person.get(f"{sheet}/corrected")
    assert 'filename="hooks.corrected.csv"' in copy.headers["content-disposition"]
    (tmp_path / "copy.csv").write_bytes(copy.content)
    assert check(Job(input=str(tmp_path / "copy.csv"))).counts == {"planned": 4}
    assert "Dee" in copy.text


def text_of_fragment(fragment):
    return " ".join(re.sub(r"<[^>]+>", " ", fragment).split())


def test_a_corrected_workbook_keeps_what_else_is_in_it(person, tmp_path):
    book = openpyxl.Workbook()
    page = book.active
    page.title = "Hooks"
    for row in (
        ["My hooks"],
        [],
        ["BusinessId", "Action", "URL", "Owner"],
        [1001, "Boking", "https://a.example", "Ann"],
        [1002, None, "https://a.example", "=1+1"],
    ):
        page.append(row)
    page.merge_cells("B4:B5")
    page["C5"].hyperlink = "https://b.example/elsewhere"
    page["C5"] = "see here"
    book.create_sheet("Notes")["A1"] = "keep me"
    book.save(tmp_path / "book.xlsx")
    shown = upload(person, "book.xlsx", (tmp_path / "book.xlsx").read_bytes())
    sheet = shown.url.path
    both = correct(person, sheet, 0, "Action", "BookingCreate")
    assert sorted(both["rows"]) == ["0", "1"]  # the merged cell is that of both rows
    correct(person, sheet, 1, "URL", "https://c.example")
    copy = person.get(f"{sheet}/corrected").content
    (tmp_path / "copy.xlsx").write_bytes(copy)
    again = openpyxl.load_workbook(tmp_path / "copy.xlsx")
    assert again["Notes"]["A1"].value == "keep me"
    assert again["Hooks"]["A1"].value == "My hooks"
    assert again["Hooks"]["B4"].value == "BookingCreate"
    assert again["Hooks"]["C5"].value == "https://c.example"
    assert again["Hooks"]["C5"].hyperlink is None
    assert again["Hooks"]["D5"].value == "=1+1"
    found = check(Job(input=str(tmp_path / "copy.xlsx")))
    assert found.counts == {"planned": 2}


def test_unknown_headers_are_mapped_by_choosing(person):
    asked = upload(person, "theirs.csv", MESSY.replace(b"What", b"Occasion").replace(b"Endpoint", b"Destination"))
    assert "no header found" in asked.text
    assert "What are the columns?" in asked.text
    sheet = asked.url.path
    names = re.findall(r'name="name-(\d+)" value="([^"]+)"', asked.text)
    assert [name for _, name in names] == ["Where", "Occasion", "Destination", "Owner"]
    meant = {"Where": "BusinessId", "Occasion": "Action", "Destination": "URL", "Owner": ""}
    chosen = {f"name-{at}": name for at, name in names} | {f"field-{at}": meant[name] for at, name in names}
    shown = person.post(f"{sheet}/columns", data=chosen)
    assert "3 rows are wrong" in text_of(shown)
    assert "Occasion (as Action)" in text_of(shown)


@pytest.mark.parametrize("name", ["run.exe", "hooks", "../../etc/passwd", ".xlsx", "draft.json", "hooks.xlsx.html"])
def test_a_file_of_another_kind_is_one_sentence(person, name):
    answer = upload(person, name, HOOKS)
    assert answer.status_code == 400
    assert "the page takes workbooks and text files" in text_of(answer)


def test_a_name_with_a_path_loses_it(person):
    answer = upload(person, "..\\..\\C:\\temp/hooks<b>.csv", HOOKS)
    assert answer.status_code == 200
    assert "<h1>hooksb.csv</h1>" in answer.text


def hostile():
    """Files that are not what they say."""
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * 50_000_000)
    yield "bomb.xlsx", book.getvalue()
    yield "cut.xlsx", book.getvalue()[:3000]
    yield "empty.xlsx", b""
    yield "empty.csv", b""
    yield "noise.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(range(256)) * 40
    yield "page.xlsx", b"<html><script>alert(1)</script></html>"
    yield "noise.csv", bytes(range(256)) * 100
    yield "line.csv", b"BusinessId,Action,URL\n" + b"a" * 9_000_000
    yield "odd.jsonl", b'{"a": ' * 1000
    yield "x.ods", book.getvalue()


@pytest.mark.parametrize(("name", "content"), list(hostile()), ids=[name for name, _ in hostile()])
def test_a_hostile_file_is_a_sentence_and_the_page_goes_on(person, name, content):
    answer = upload(person, name, content)
    assert answer.status_code in {200, 400}
    assert "Traceback" not in answer.text
    assert 'role="alert"' in answer.text
    assert str(answer.text).count("/files/") == 0
    assert person.get("/").status_code == 200


def test_what_stands_in_a_cell_is_text_and_never_markup(person):
    evil = b'BusinessId,Action,URL,"<b>x</b>"\n1001,"<script>alert(1)</script>","javascript:alert(1)","<img src=x>"\n'
    answer = upload(person, "evil.csv", evil)
    assert "<script>alert" not in answer.text
    assert "<img" not in answer.text
    assert "<b>x" not in answer.text


def test_more_rows_than_the_page_takes_is_a_sentence_that_says_how(person):
    many = b"BusinessId,Action,URL\n" + b"1001,6,https://a.example\n" * 100_001
    answer = upload(person, "many.csv", many)
    assert "100,001 rows; the page takes 100,000. Split the file, or use the command line" in text_of(answer)


def test_nobody_sees_the_file_of_another_before_it_is_sent(rehearsal, person):
    sheet = upload(person, "mine.csv", b"BusinessId,Action,URL\n1001,6,https://private.example\n").url.path
    other = rehearsal.person()
    for place in (sheet, f"{sheet}/corrected", f"{sheet}/plan", f"{sheet}/send"):
        assert other.get(place).status_code == 404
    assert "mine.csv" not in other.get("/").text
    assert correct_status(other, sheet) == 404
    assert "mine.csv" in person.get("/").text


def correct_status(client, sheet):
    return client.post(f"{sheet}/cell", data={"row": 0, "field": "URL", "text": "x"}).status_code


def test_a_removed_file_is_gone_from_the_disk(rehearsal, person):
    sheet = upload(person, "gone.csv", HOOKS).url.path
    assert list(rehearsal.state.rglob("gone.csv"))
    assert all(path.stat().st_mode & 0o077 == 0 for path in rehearsal.state.rglob("gone.csv"))
    person.post(f"{sheet}/remove")
    assert not list(rehearsal.state.rglob("gone.csv"))


def test_a_plan_names_what_where_and_how_long_and_only_its_own_confirmation_sends(rehearsal, person, tmp_path):
    sheet = upload(person, "send.csv", b"BusinessId,Action,URL\n1001-1003,6,https://send.example\n").url.path
    found = text_of(plan(person, sheet))
    assert "REHEARSAL" in found
    assert "3 to create" in found
    assert "account default" in found
    assert "at the limits" in found
    correct(person, sheet, 0, "BusinessId", "1001-1002")
    assert "changed since it was planned" in text_of(person.post(f"{sheet}/send", data={"version": "1"}))
    assert "2 to create" in text_of(plan(person, sheet))
    run = send(person, sheet)
    done = until(person, run, "Download the results")
    assert "2 created" in text_of(done)
    assert not list(rehearsal.state.rglob("send.csv"))  # deleted once it is done
    results = person.get(f"{run}/results")
    assert 'filename="send.sandbox.results.xlsx"' in results.headers["content-disposition"]
    rows = list(openpyxl.load_workbook(io.BytesIO(results.content))["Results"].values)
    assert [row[rows[0].index("Status")] for row in rows[1:]] == ["created", "created"]
    assert "send.csv" in person.get("/runs").text
    assert "2 created" in text_of(rehearsal.person().get(run))


def test_a_run_is_taken_back_after_a_question(person):
    sheet = upload(person, "back.csv", b"BusinessId,Action,URL\n1005-1006,6,https://back.example\n").url.path
    plan(person, sheet)
    run = send(person, sheet)
    until(person, run, "Take it back")
    undo = person.post(f"{run}/undo").url.path
    asked = until(person, undo, "Delete 2 webhooks?")
    assert 'value="yes"' in asked.text
    person.post(f"{undo}/answer", data={"answer": "yes"})
    assert "2 deleted" in text_of(until(person, undo, "Download the results"))


def test_health_template_and_events(person):
    person.post("/health")
    until(person, "/health", "looked up")
    book = person.post("/template", data={"live": "yes"})
    assert "Hooks" in openpyxl.load_workbook(io.BytesIO(book.content)).sheetnames
    assert openpyxl.load_workbook(io.BytesIO(book.content))["Locations"]["A2"].value is not None
    assert person.get("/events").text.count("<tr>") == 91


def test_the_sample_is_one_click_away_and_has_something_to_correct(person):
    assert "3 rows are wrong" in text_of(person.post("/sheets/sample", timeout=PATIENCE))
