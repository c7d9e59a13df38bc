"""What results are called, and which files a glob of a job file leaves out."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from bulkhooks.config.job_file import read_job_file
from bulkhooks.config.names import is_ours, next_free, results_beside, undone_beside
from bulkhooks.config.sources import resolve


@pytest.mark.parametrize(
    ("given", "results", "rehearsed"),
    [
        ("x.xlsx", "x.results.xlsx", "x.sandbox.results.xlsx"),
        ("x.csv", "x.results.xlsx", "x.sandbox.results.xlsx"),
        ("x.results.xlsx", "x.results.2.xlsx", "x.sandbox.results.xlsx"),
        ("x.results.csv", "x.results.2.xlsx", "x.sandbox.results.xlsx"),
        ("x.results.2.xlsx", "x.results.3.xlsx", "x.sandbox.results.xlsx"),
        ("x.results.9.jsonl", "x.results.10.xlsx", "x.sandbox.results.xlsx"),
        ("x.sandbox.results.xlsx", "x.results.xlsx", "x.sandbox.results.2.xlsx"),
        ("x.sandbox.results.2.xlsx", "x.results.xlsx", "x.sandbox.results.3.xlsx"),
        ("a.b.xlsx", "a.b.results.xlsx", "a.b.sandbox.results.xlsx"),
        ("x.results.old.xlsx", "x.results.old.results.xlsx", "x.results.old.sandbox.results.xlsx"),
        (".results.xlsx", ".results.results.xlsx", ".results.sandbox.results.xlsx"),
    ],
)
def test_each_round_has_a_name_of_its_own_and_so_has_a_rehearsal(given, results, rehearsed):
    """A results file is never the place of its own results, and no rehearsal is the place of a run's."""
    folder = PurePosixPath("in")
    assert results_beside(folder / given) == folder / results
    assert results_beside(folder / given, is_rehearsal=True) == folder / rehearsed


def test_the_results_of_an_undo_are_named_after_its_input():
    assert undone_beside(PurePosixPath("in/x.results.2.xlsx")) == PurePosixPath("in/x.results.2.undo.xlsx")


def test_the_command_line_gives_these_names():
    """Also where the sandbox is asked for by the environment."""
    given = [str(Path("in") / "x.results.xlsx")]
    assert resolve("run", {}, {}, given).outputs == (str(Path("in/x.results.2.xlsx")),)
    assert resolve("run", {}, {"BULKHOOKS_SANDBOX": "yes"}, given).outputs == (str(Path("in/x.sandbox.results.xlsx")),)
    assert resolve("undo", {"run": "r1"}, {}, []).outputs == ("r1.undo.xlsx",)


def test_a_glob_leaves_out_what_the_program_writes(tmp_path):
    """Results of every round and format, copies, checks, undos, health sheets, and what Excel keeps beside a file."""
    written = [
        "a.results.xlsx", "a.results.2.xlsx", "a.sandbox.results.xlsx", "a.with.results.xlsx", "a.results.csv",
        "a.results.undo.xlsx", "r1.undo.xlsx", "a.checked.xlsx", "a.checked.xlsm", "~$a.xlsx", "health.xlsx",
        "health-monday.xlsx",
    ]  # fmt: skip
    for name in [*written, "a.xlsx", "b.csv", "results.xlsx", "healthy.csv"]:
        (tmp_path / name).write_text("x")
    job = tmp_path / "job.toml"
    job.write_text('[job]\ninput = ["*.xlsx", "*.csv", "*.xlsm", "a.results.xlsx"]\n')
    names = [Path(name).name for name in read_job_file(job).inputs()]
    assert names == ["a.xlsx", "results.xlsx", "b.csv", "healthy.csv", "a.results.xlsx"]


def test_an_undo_leaves_the_record_of_an_earlier_one(tmp_path):
    """The first has the plain name, the next ones numbers; a glob leaves all of them out."""
    names = []
    for _ in range(3):
        path = next_free(undone_beside(tmp_path / "x.results.xlsx"))
        path.touch()
        names.append(path.name)
    assert names == ["x.results.undo.xlsx", "x.results.undo.2.xlsx", "x.results.undo.3.xlsx"]
    assert all(map(is_ours, names))
