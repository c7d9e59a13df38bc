"""From round to round: what stays what it was, whose results count, and what is not replaced."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from bulkhooks import Job, UsageError, check, plan, run
from bulkhooks.commands.undo import undo
from bulkhooks.sandbox.options import SandboxOptions
from bulkhooks.sandbox.server import Sandbox
from bulkhooks.sheets.reading.recorded import recorded_server

KEPT = ["Row", "SentAt", "Attempts", "HttpStatus", "DurationMs"]
ROW = "1001,6,https://a.example/x"


@pytest.fixture
def server():
    with Sandbox() as running:
        yield running


def sheet(folder, *rows):
    """An input with these rows."""
    path = folder / "hooks.csv"
    path.write_text("BusinessId,Action,URL\n" + "".join(f"{row}\n" for row in rows))
    return path


def job(server, given, **more):
    environment = {"NEXUDUS_TOKEN": server.token, "NEXUDUS_BASE_URL": server.base_url}
    journal = Path(str(given)).parent / "journal.db"
    settings = {"journal": journal, "rate": "none", "request_rate": "none", "environment": environment}
    return Job(**{"input": given, **settings, **more})


def rehearsal(given):
    return Job(input=given, sandbox=True, rate="none", request_rate="none")


def correct(path, column, values):
    """Write into a column of Results, by row number."""
    book = load_workbook(path)
    header = [cell.value for cell in book["Results"][1]]
    for number, value in values.items():
        book["Results"].cell(number, header.index(column) + 1).value = value
    book.save(path)


def kept(report):
    return report.results[KEPT].values.tolist()


def test_rows_keep_their_place_and_when_they_were_sent_through_every_round(tmp_path, server):
    """What is corrected is sent; all others stay what they were, also where the input itself is run again."""
    given = sheet(tmp_path, ROW, "1002,6,broken", "1003,7,https://a.example/y")
    first = run(job(server, given))
    assert first.counts == {"created": 2, "invalid": 1}
    (results,) = first.summary.outputs
    correct(results, "URL", {3: "https://a.example/z"})
    second = run(job(server, results))
    assert Path(second.summary.outputs[0]).name == "hooks.results.2.xlsx"
    assert second.counts == {"created": 1, "exists": 2}
    third = run(job(server, second.summary.outputs[0]))
    assert third.counts == {"exists": 3}
    assert [row[0] for row in kept(second)] == ["hooks.csv:2", "hooks.csv:3", "hooks.csv:4"]
    assert all(row[1] and row[2] == 1 for row in kept(second))
    assert kept(third) == kept(second)
    assert [kept(second)[number] for number in (0, 2)] == [kept(first)[number] for number in (0, 2)]
    facts = {row[0]: row[1] for row in load_workbook(third.summary.outputs[0])["Summary"].iter_rows(values_only=True)}
    runs = sorted([first.summary.run_id, second.summary.run_id])
    assert [line.partition(":")[0] for line in facts["Made by"].splitlines()] == runs


def test_an_input_run_again_tells_when_its_webhooks_were_made(tmp_path, server):
    """The journal knows; running the same sheet once more does not lose it."""
    given = sheet(tmp_path, ROW)
    first, again = run(job(server, given)), run(job(server, given))
    assert again.counts == {"exists": 1}
    assert kept(again) == kept(first)


def test_a_round_without_the_journal_has_what_the_sheet_tells(tmp_path, server):
    """Another machine's journal knows nothing of it."""
    first = run(job(server, sheet(tmp_path, ROW)))
    again = run(job(server, first.summary.outputs[0], journal=tmp_path / "other.db"))
    assert again.counts == {"exists": 1}
    assert kept(again) == kept(first)


def test_results_of_another_server_are_not_replaced_without_yes(tmp_path, server):
    """Nothing is sent, and the sentence names -o and --yes; other formats are replaced."""
    given = sheet(tmp_path, ROW)
    outputs = [tmp_path / "out.xlsx", tmp_path / "out.csv"]
    run(job(server, given, output=outputs))
    with Sandbox() as other:
        elsewhere = job(other, given, output=outputs, journal=tmp_path / "other.db")
        for command in (run, plan):
            with pytest.raises(UsageError, match=r"another server .* -o") as refused:
                command(elsewhere)
            assert ("--yes" in str(refused.value)) == (command is run)
        assert recorded_server(outputs[0]) == server.base_url
        there = job(other, given, output=outputs, journal=tmp_path / "other.db", yes=True)
        assert run(there).counts == {"created": 1}
        assert recorded_server(outputs[0]) == other.base_url
        assert run(job(server, given, output=outputs[1:])).counts == {"exists": 1}


def test_two_spellings_of_one_server_are_no_other_server(tmp_path, server):
    given = sheet(tmp_path, ROW)
    first = run(job(server, given))
    elsewhere = server.base_url.replace("127.0.0.1", "LOCALHOST") + "/"
    again = run(job(server, given, base_url=elsewhere))
    assert again.summary.outputs == first.summary.outputs


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_what_another_server_has_done_does_not_count(tmp_path, suffix):
    """Where listing is not permitted, only that decides; one warning tells."""
    given, output = sheet(tmp_path, ROW, "1002,6,https://a.example/x"), f"out{suffix}"
    with Sandbox() as there:
        run(job(there, given, output=tmp_path / output))
    with Sandbox(SandboxOptions(role="create-only")) as here:
        found = job(here, tmp_path / output, output=tmp_path / "new.csv", journal=tmp_path / "here.db")
        ran = run(found)
        assert ran.counts == {"created": 2}
        assert {warning.code: warning.count for warning in ran.summary.warnings} == {"other-server": 1, "not-listed": 1}
        again = run(job(here, tmp_path / "new.csv", output=tmp_path / "newer.csv", journal=tmp_path / "here.db"))
        assert again.counts == {"exists": 2}
        assert [warning.code for warning in again.summary.warnings] == ["not-listed"]


def test_the_ids_of_a_rehearsal_never_count(tmp_path, server):
    """An undo of them deletes nothing, though the server has such ids; the next rehearsal makes them again."""
    given = sheet(tmp_path, ROW)
    run(job(server, given))
    (results,) = run(rehearsal(given)).summary.outputs
    assert Path(results).name == "hooks.sandbox.results.xlsx"
    undone = undo(job(server, results, yes=True))
    assert undone.counts == {}
    assert any("another server" in str(warning) for warning in undone.warnings)
    assert run(rehearsal(results)).counts == {"created": 1}


def test_a_rehearsal_says_so_in_its_summary_and_in_json(tmp_path):
    report = run(rehearsal(sheet(tmp_path, ROW)))
    assert load_workbook(report.summary.outputs[0])["Summary"]["A1"].value.startswith("REHEARSAL")
    told = json.loads(json.dumps(report.summary.as_dict()))
    assert told["target"].startswith("REHEARSAL: sandbox at http://127.0.0.1:")
    assert (told["accounts"], isinstance(told["user"], str)) == (["default"], True)


def test_the_server_is_known_after_other_programs_have_saved_the_workbook(tmp_path, server):
    """openpyxl keeps the property; where it is gone, the sheet Summary tells."""
    path = Path(run(job(server, sheet(tmp_path, ROW))).summary.outputs[0])
    book = load_workbook(path)
    book.save(path)
    assert recorded_server(path) == server.base_url
    del book.custom_doc_props["Server"]
    book.save(path)
    assert recorded_server(path) == server.base_url
    del book["Summary"]
    book.save(path)
    assert recorded_server(path) is None


@pytest.mark.parametrize("suffix", ["xlsx", "csv", "jsonl"])
def test_a_formula_without_value_stays_an_error_until_somebody_corrects_it(tmp_path, suffix):
    """Its text stands in the results, so that no round takes the cell for an empty one."""
    book = Workbook()
    for line in (["BusinessId", "Action", "URL", "Active"], [1001, 6, "https://hooks.example.com/a", "=NOT(A1)"]):
        book.active.append(line)
    book.save(tmp_path / "hooks.xlsx")
    first, second = (str(tmp_path / f"{name}.{suffix}") for name in ("first", "second"))
    assert check(Job(input=tmp_path / "hooks.xlsx", output=first)).counts == {"invalid": 1}
    again = check(Job(input=first, output=second))
    assert [problem.code for problem in again.problems] == ["formula-error"]
    assert again.counts == {"invalid": 1}
    if suffix == "csv":
        corrected = Path(second).read_text("utf-8").replace(",'=NOT(A1),", ",no,")
        Path(second).write_text(corrected, "utf-8")
        assert check(Job(input=second)).counts == {"planned": 1}
