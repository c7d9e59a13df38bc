"""Corrections in every format, results that are corrected, names of locations, and a token that is typed in."""

from __future__ import annotations

import io
import json
import shutil

import openpyxl
import pytest

from bulkhooks import Job, check
from tests.docs.pages import ROOT
from tests.processes import sandbox_process
from tests.web.server import plan, send, serving, text_of, until, upload

WRONG = "htps://wrong.example"
RIGHT = "https://right.example/in"


def correct(client, sheet, row, field, text):
    """Write into a cell, as the page's script does."""
    found = client.post(f"{sheet}/cell", data={"row": row, "field": field, "text": text}).json()
    assert "error" not in found, found
    return found


_STACKED = "BusinessId,Action,Where to\n1001,6,https://a.example\n\nAction,Where to,BusinessId\n6,WRONG,1002\n"
_LINES = [{"BusinessId": at, "Action": 6, "Where to": url} for at, url in ((1001, "https://a.example"), (1002, WRONG))]
FORMATS = {
    "titled.csv": f"My hooks;;\n;;\nBusinessId;Action;Where to\n1001;6;https://a.example\n1002;6;{WRONG}\n".encode(),
    "latin.csv": f"BusinessId,Action,Where to,Café\n1001,6,https://a.example,\n1002,6,{WRONG},é\n".encode("cp1252"),
    "stacked.tsv": _STACKED.replace(",", "\t").replace("WRONG", WRONG).encode(),
    "lines.jsonl": "\n".join(map(json.dumps, _LINES)).encode(),
}
"""Two rows each, the second with a wrong URL under a header that has to be mapped."""


@pytest.mark.parametrize("name", FORMATS)
def test_a_correction_stands_in_the_copy_whatever_the_format_and_is_what_is_sent(person, tmp_path, name):
    asked = upload(person, name, FORMATS[name])
    sheet = asked.url.path
    shown = person.post(f"{sheet}/columns", data={"name-1": "Where to", "field-1": "URL"})
    assert "1 row is wrong" in text_of(shown)
    assert "every row is right" in correct(person, sheet, 1, "URL", RIGHT)["summary"]
    copy = person.get(f"{sheet}/corrected")
    suffix = copy.headers["content-disposition"].rpartition(".")[2].strip('"')
    place = tmp_path / f"copy.{suffix}"
    place.write_bytes(copy.content)
    mapped = () if suffix == "xlsx" else ("Where to=URL",)
    found = check(Job(input=str(place), map=mapped))
    assert found.counts == {"planned": 2}
    assert found.results["URL"].tolist() == ["https://a.example", RIGHT]
    assert "2 to create" in text_of(plan(person, sheet))
    person.post(f"{sheet}/remove")


@pytest.mark.parametrize("name", ["libreoffice.ods", "libreoffice.xls", "libreoffice.xlsx"])
def test_workbooks_of_another_program_are_corrected_too(person, tmp_path, name):
    sheet = upload(person, name, (ROOT / "tests" / "data" / name).read_bytes()).url.path
    before = check(Job(input=str(ROOT / "tests" / "data" / name)))
    correct(person, sheet, 0, "URL", RIGHT)
    copy = person.get(f"{sheet}/corrected")
    (tmp_path / "copy.xlsx").write_bytes(copy.content)
    after = check(Job(input=str(tmp_path / "copy.xlsx")))
    assert sum(after.counts.values()) == sum(before.counts.values())
    assert RIGHT in after.results["URL"].tolist()


def test_the_results_of_a_run_are_corrected_and_only_what_is_left_is_sent(person):
    rows = f"BusinessId,Action,URL\n1011,6,https://again.example\n1012,6,{WRONG}\n"
    sheet = upload(person, "again.csv", rows.encode()).url.path
    plan(person, sheet)
    run = send(person, sheet)
    assert "Finished, and some rows need you" in text_of(until(person, run, "Download the results"))
    only = person.get(f"{run}?status=invalid")
    assert "1012" in only.text
    assert "https://again.example" not in only.text
    sheet = person.post(f"{run}/correct").url.path
    assert "1 row is wrong" in text_of(person.get(sheet))
    correct(person, sheet, 1, "URL", RIGHT)
    assert "1 to create" in text_of(plan(person, sheet))
    done = until(person, send(person, sheet), "Download the results")
    assert "1 created" in text_of(done)
    assert "1 exists" in text_of(done)


def test_names_are_looked_up_in_the_servers_own_locations(person):
    place = openpyxl.load_workbook(io.BytesIO(person.post("/template", data={"live": "yes"}).content))["Locations"][
        "B2"
    ]
    rows = f'Location,Action,URL\n"{place.value}",7,https://named.example\n'
    sheet = upload(person, "named.csv", rows.encode()).url.path
    assert "1 row is wrong" in text_of(person.get(sheet))
    assert "every row is right" in text_of(person.post(f"{sheet}/locations"))
    assert "1 to create" in text_of(plan(person, sheet))


def test_a_token_that_is_typed_in_is_used_and_stands_nowhere(tmp_path):
    with (
        sandbox_process(tmp_path) as sandbox,
        serving(tmp_path / "state", "--log-file", str(tmp_path / "log"), "-v", NEXUDUS_BASE_URL=sandbox) as served,
    ):
        person, other = served.person(), served.person()
        sheet = upload(person, "token.csv", b"BusinessId,Action,URL\n1001,6,https://token.example\n").url.path
        assert "NEXUDUS_TOKEN" in text_of(plan(person, sheet))
        back = person.post("/token", data={"token": "sandbox-token", "back": "//evil.example"})
        assert back.url.path == "/"
        pages = [back.text, plan(person, sheet).text, person.get(sheet).text]
        assert "1 to create" in pages[1]
        run = send(person, sheet)
        pages.append(until(person, run, "Download the results").text)
        assert "1 created" in pages[-1]
        assert not any("sandbox-token" in page for page in pages)
        theirs = upload(other, "theirs.csv", b"BusinessId,Action,URL\n1001,7,https://token.example\n").url.path
        assert "NEXUDUS_TOKEN" in text_of(plan(other, theirs))
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and b"sandbox-token" in path.read_bytes()]
    assert kept == []
    shutil.rmtree(tmp_path / "state")
