"""Where the results of several inputs go."""

from __future__ import annotations

import json
import shutil

from openpyxl import load_workbook

from bulkhooks import Job, run
from bulkhooks.commands.history import results_again
from bulkhooks.commands.outputs import words_for
from bulkhooks.commands.runs import runs
from bulkhooks.sandbox.server import Sandbox
from tests.processes import bulkhooks

SHEET = "BusinessId,Action,URL\n{},BookingCreate,https://example.com/hooks\n"


def test_words_tell_inputs_apart():
    """{input} is the stem; inputs that share one get their whole name, and those that share that too a number."""
    assert words_for(["in/a.xlsx", "b.csv", "-"]) == ["a", "b", "stdin"]
    assert words_for(["a.xlsx", "a.csv", "b.csv"]) == ["a.xlsx", "a.csv", "b"]
    assert words_for(["1/a.csv", "2/a.csv", "3/a.csv"]) == ["a.csv", "a.csv-2", "a.csv-3"]


def test_inputs_of_the_same_name_keep_their_results_apart(tmp_path):
    """No results are written over: the summary names a file for each input, and each holds its own row."""
    for number, folder in enumerate(("a", "b")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "hooks.csv").write_text(SHEET.format(1001 + number))
    (tmp_path / "job.toml").write_text('[job]\ninput = ["*/hooks.csv"]\noutput = "out/{input}.jsonl"\n')
    done = bulkhooks("run", "--job", "job.toml", "--sandbox", "--json", cwd=tmp_path)
    outputs = json.loads(done.stdout)["outputs"]
    found = [json.loads((tmp_path / output).read_text())["BusinessId"] for output in outputs]
    assert (done.returncode, found) == (0, [1001, 1002])


def test_a_run_whose_results_cannot_be_written_is_over_and_says_how_to_have_them(tmp_path):
    """Its folder goes away while it sends: what was sent stands in the journal, and the exit code says to look."""
    given = tmp_path / "hooks.csv"
    given.write_text("BusinessId,Action,URL\n1001,6,https://a.example/x\n")
    folder = tmp_path / "out"
    with Sandbox() as server:
        environment = {"NEXUDUS_TOKEN": server.token, "NEXUDUS_BASE_URL": server.base_url}
        job = Job(
            input=given, output=folder / "r.xlsx", journal=tmp_path / "journal.db", environment=environment,
            rate="none", request_rate="none", confirm_above=0,
        )  # fmt: skip

        def take_away(question):
            shutil.rmtree(folder)
            return True

        report = run(job, ask=take_away)
    assert (report.counts, report.exit_code) == ({"created": 1}, 1)
    assert any("bulkhooks results --run" in str(warning) for warning in report.warnings)
    (known,) = runs(Job(journal=job.journal))
    assert (known["run_id"], known["status"]) == (report.summary.run_id, "failures")
    again = results_again(Job(journal=job.journal, output=tmp_path / "again.csv"))
    assert again.counts == {"created": 1}


def test_rows_that_a_limit_left_pending_are_no_errors(tmp_path):
    """Neither in the summary nor in the sheet Problems; the row says why it waits."""
    given = tmp_path / "hooks.csv"
    given.write_text("BusinessId,Action,URL\n1001-1003,6,https://a.example/x\n")
    report = run(Job(input=given, output=tmp_path / "r.xlsx", sandbox=True, rate="none", request_rate="none", limit=1))
    assert (report.counts, report.exit_code, report.summary.errors) == ({"created": 1, "pending": 2}, 4, [])
    assert report.results["ErrorCode"].tolist() == [None, "not-sent", "not-sent"]
    assert load_workbook(tmp_path / "r.xlsx")["Problems"]["A2"].value == "There are none."
