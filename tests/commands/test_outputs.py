"""Where the results of several inputs go."""

from __future__ import annotations

import json

from bulkhooks.commands.outputs import words_for
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
