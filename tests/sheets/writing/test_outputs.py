"""Outputs: opened before anything is sent, moved into place whole, nothing left behind."""

from __future__ import annotations

import itertools
import os
import stat
import subprocess
import sys

import pytest

from bulkhooks.errors import OutputError, UsageError
from bulkhooks.sheets.values import ResultRow, RunFacts
from bulkhooks.sheets.writing.outputs import Outputs
from bulkhooks.temporary import temporary_name
from bulkhooks.webhook import RESULT_COLUMNS
from tests.sheets.samples import csv_rows, jsonl_rows, row, sheet_rows, summary, write


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["results", "results.txt", "results.xls", ".xlsx"])
def test_a_suffix_that_says_no_format_is_refused_with_those_that_do(tmp_path, name):
    """A place whose suffix is none of the three is a usage error that names them, and no file is made."""
    with pytest.raises(UsageError, match=r"\.xlsx, \.csv and \.jsonl"), Outputs([tmp_path / name]):
        pass
    assert names(tmp_path) == []


def test_the_same_place_twice_is_refused(tmp_path):
    """Two ways of writing one path are one place."""
    (tmp_path / "a").mkdir()
    with pytest.raises(UsageError, match="twice"), Outputs([tmp_path / "r.csv", tmp_path / "a" / ".." / "r.csv"]):
        pass
    assert names(tmp_path) == ["a"]


def test_missing_folders_are_made_on_entering(tmp_path):
    """The folders of a place are there before anything is sent."""
    with Outputs([tmp_path / "a" / "b" / "r.csv"]):
        assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize("make", ["folder at the place", "file where a folder should be"])
def test_a_place_that_cannot_be_written_is_told_on_entering(tmp_path, make):
    """A folder of that name, or a file in the way of its folder, is one sentence, and other places are left clean."""
    place = tmp_path / "r.csv" if make == "folder at the place" else tmp_path / "file" / "r.csv"
    if make == "folder at the place":
        place.mkdir()
    else:
        place.parent.write_text("")
    before = names(tmp_path)
    with pytest.raises(OutputError, match=r"r\.csv cannot be written: .+; choose another place"):
        Outputs([tmp_path / "first.xlsx", place]).__enter__()
    assert names(tmp_path) == before


def test_leaving_without_writing_leaves_no_trace(tmp_path):
    """A run that ends early neither touches older results nor leaves a file of its own."""
    (tmp_path / "r.xlsx").write_bytes(b"older")
    with Outputs([tmp_path / "r.xlsx", tmp_path / "r.csv"]):
        pass
    assert names(tmp_path) == ["r.xlsx"]
    assert (tmp_path / "r.xlsx").read_bytes() == b"older"


def test_rows_are_taken_once_for_all_formats(tmp_path):
    """A stream of rows goes to every place, in order, with the same columns."""
    paths = [tmp_path / "r.xlsx", tmp_path / "r.csv", tmp_path / "r.JSONL"]
    with Outputs(paths) as outputs:
        written = outputs.write(RESULT_COLUMNS, map(row, range(2, 5_002)), summary(), RunFacts())
    assert written == paths
    assert names(tmp_path) == ["r.JSONL", "r.csv", "r.xlsx"]
    rows = [sheet_rows(paths[0]), csv_rows(paths[1]), jsonl_rows(paths[2])]
    assert [list(table[0]) for table in rows] == [list(RESULT_COLUMNS)] * 3
    assert [[line["Row"] for line in table] for table in rows] == [[f"Hooks!{n}" for n in range(2, 5_002)]] * 3


def test_a_locked_place_gives_way_to_the_next_number_that_is_free(tmp_path):
    """What cannot be moved into its place is put beside it, an older one there is kept, and the user is told."""
    place = tmp_path / "r.csv"
    (tmp_path / "r.1.csv").write_text("from yesterday")
    with Outputs([place]) as outputs:
        place.mkdir()
        written = outputs.write(RESULT_COLUMNS, [row(2)], summary(), RunFacts())
    assert written == [tmp_path / "r.2.csv"]
    assert csv_rows(written[0])[0]["Status"] == "created"
    assert (tmp_path / "r.1.csv").read_text() == "from yesterday"
    assert len(outputs.warnings) == 1
    assert "r.csv is locked" in outputs.warnings[0]
    assert "r.2.csv" in outputs.warnings[0]


def test_a_writing_that_broke_off_may_be_tried_again(tmp_path):
    """Where the rows stop coming in the middle, a second attempt writes whole files."""

    def broken():
        yield from map(row, range(2, 3_000))
        raise RuntimeError("the journal is gone")

    paths = [tmp_path / "r.xlsx", tmp_path / "r.csv"]
    with Outputs(paths) as outputs:
        with pytest.raises(RuntimeError):
            outputs.write(RESULT_COLUMNS, broken(), summary(), RunFacts())
        outputs.write(RESULT_COLUMNS, [row(2)], summary(), RunFacts())
    assert names(tmp_path) == ["r.csv", "r.xlsx"]
    assert len(sheet_rows(paths[0])) == len(csv_rows(paths[1])) == 1


def test_an_older_file_keeps_its_permissions_and_a_link_stays_a_link(tmp_path):
    """New results take the mode of the old, and what a link points at is replaced, not the link."""
    target, link = tmp_path / "target.csv", tmp_path / "latest.csv"
    target.write_text("older")
    target.chmod(0o640)
    link.symlink_to(target)
    write([link], [row(2)])
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert csv_rows(target)[0]["WebhookId"] == "87000002"


def test_a_text_too_long_for_a_cell_is_cut_in_the_workbook_alone_and_said(tmp_path):
    """32,767 characters are what a cell holds; the other formats have all, and the user is told of it."""
    paths = [tmp_path / "r.xlsx", tmp_path / "r.csv", tmp_path / "r.jsonl"]
    outputs = write(paths, [row(2, Description="x" * 40_000)])
    cell = str(sheet_rows(paths[0])[0]["Description"])
    assert len(cell) == 32_767
    assert "cut" in cell
    assert csv_rows(paths[1])[0]["Description"] == jsonl_rows(paths[2])[0]["Description"] == "x" * 40_000
    assert len(outputs.warnings) == 1
    assert "r.xlsx" in outputs.warnings[0]


def test_more_columns_than_a_sheet_has_are_said(tmp_path):
    """An input with very many columns loses the last in the workbook, with a word, and none in the .csv."""
    own = [f"c{number}" for number in range(16_384)]
    paths = [tmp_path / "r.xlsx", tmp_path / "r.csv"]
    outputs = write(paths, [ResultRow([*row(2).cells, *itertools.repeat("v", len(own))])], own)
    assert len(csv_rows(paths[1])[0]) == len(RESULT_COLUMNS) + len(own)
    assert [warning for warning in outputs.warnings if "21 columns do not fit" in warning]


def test_nothing_stays_open_between_the_trial_and_the_writing(tmp_path):
    """So that there may be more places than a process may have open files."""
    with Outputs([tmp_path / "r.csv", tmp_path / "r.xlsx"]) as outputs:
        assert names(tmp_path) == []
        outputs.write(list(RESULT_COLUMNS), [row(1)], summary([row(1)]), RunFacts())
    assert names(tmp_path) == ["r.csv", "r.xlsx"]


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path):
    """Known by the process in its name; what lives, or is somebody else's, stays."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    mine = temporary_name(".part")
    left, foreign = mine.replace(f"-{os.getpid()}-", f"-{dead.pid}-"), ".bulkhooks-00000000-1-x.part"
    for name in (mine, left, foreign, "theirs.part"):
        (tmp_path / name).write_text("x", "utf-8")
    write([tmp_path / "r.csv"], [row(1)])
    assert set(names(tmp_path)) == {mine, foreign, "theirs.part", "r.csv"}
