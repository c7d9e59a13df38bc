"""The figures of a run as Prometheus' textfile collector reads them."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bulkhooks.cli import notify
from bulkhooks.cli.metrics import metrics
from bulkhooks.config.job import Job
from bulkhooks.errors import InputError
from bulkhooks.report import ErrorCount, Report, Summary

OK = Summary("r-1", counts={"exists": 2}, total=2)
FAILED = Summary("r-1", "failures", {"created": 3, "failed": 1}, 4, errors=[ErrorCount("api-error", 1, "it is down")])
LATER = Summary("r-1", "incomplete", {"pending": 5}, 5, remaining=5, resume_at="2026-11-26T02:00:00Z")

_SAMPLE = re.compile(r'([a-z_]+)\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*)\} (\S+)')


def attended(job, work):
    """The run is called r-1."""
    return notify.attended(job, work, "r-1")


def _figures(text):
    """Read the text format as node_exporter's collector does: HELP and TYPE once, before all samples of the metric."""
    assert text.endswith("\n")
    described, typed, figures = [], [], {}
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("# HELP "):
            described.append(line.split(" ", 3)[2])
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert kind == "gauge"
            typed.append(name)
        else:
            name, labels, value = _SAMPLE.fullmatch(line).groups()
            assert described[-1] == typed[-1] == name
            assert (name, labels) not in figures
            figures[name, labels] = float(value)
    assert len(set(described)) == len(described)
    assert described == typed
    return figures


def test_figures_of_a_run(tmp_path):
    """The file says when a run last ended well, and how the last one went."""
    path = tmp_path / "new/bulkhooks.prom"
    summary = Summary("r", counts={"created": 2, "exists": 1}, total=3, writes=2, throttled=1, seconds=123456.789)
    before = int(time.time())
    attended(Job(name="nightly", metrics_file=path), lambda: Report(summary, cap_left=4998))
    figures = _figures(path.read_text())
    success = figures.pop(("bulkhooks_last_success_timestamp_seconds", 'job="nightly"'))
    assert before <= success <= time.time() + 1
    assert figures.pop(("bulkhooks_last_run_timestamp_seconds", 'job="nightly"')) == success
    assert figures == {
        ("bulkhooks_exit_code", 'job="nightly"'): 0,
        ("bulkhooks_duration_seconds", 'job="nightly"'): 123456.789,
        ("bulkhooks_remaining", 'job="nightly"'): 0,
        ("bulkhooks_writes", 'job="nightly"'): 2,
        ("bulkhooks_throttled", 'job="nightly"'): 1,
        ("bulkhooks_cap_left", 'job="nightly"'): 4998,
        ("bulkhooks_rows", 'job="nightly",status="created"'): 2,
        ("bulkhooks_rows", 'job="nightly",status="exists"'): 1,
    }
    assert [path.name for path in path.parent.iterdir()] == ["bulkhooks.prom"]


def test_a_failure_keeps_the_last_success(tmp_path):
    """The time of the last success stays through failures and errors, and is that of this job alone."""
    path = tmp_path / "m.prom"
    job = Job(name="nightly", metrics_file=path)

    def error():
        raise InputError("no workbook")

    attended(job, lambda: Report(LATER))
    success = ("bulkhooks_last_success_timestamp_seconds", 'job="nightly"')
    assert _figures(path.read_text())[success] == 0
    attended(job, lambda: Report(OK))
    last = _figures(path.read_text())[success]
    attended(job, lambda: Report(LATER))
    assert _figures(path.read_text())[success] == last
    with pytest.raises(InputError):
        attended(job, error)
    figures = _figures(path.read_text())
    assert (figures[success], figures["bulkhooks_exit_code", 'job="nightly"']) == (last, 2)
    others = _figures(metrics(Job(name="other"), Report(LATER), path.read_text()))
    assert others[success[0], 'job="other"'] == 0


def test_the_time_of_the_last_run_is_told_whatever_came_of_it():
    """An alert on a job that no longer runs needs no success."""
    for summary in (OK, LATER):
        figures = _figures(metrics(Job(name="nightly"), Report(summary), now=1764112272.4))
        assert figures["bulkhooks_last_run_timestamp_seconds", 'job="nightly"'] == 1764112272


def test_a_file_that_cannot_be_written_is_a_warning(tmp_path, caplog):
    """A folder in its place, or a file in its folder's: the run ends as it has, and nothing is left behind."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    report = Report(OK)
    for place in ("file/m.prom", "folder"):
        assert attended(Job(metrics_file=tmp_path / place), lambda: report) is report
    assert [message.partition(": cannot")[0] for message in [record.getMessage() for record in caplog.records]] == [
        f"--metrics-file {tmp_path / 'file/m.prom'}",
        f"--metrics-file {tmp_path / 'folder'}",
    ]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]


@example(name="", before="²")
@given(name=st.text(st.characters(exclude_categories=["Cs"])), before=st.text(max_size=60))
def test_any_name_and_any_earlier_file_make_a_good_file(name, before):
    """Names of jobs are escaped, and a file that held something else is no harm."""
    earlier = f'bulkhooks_last_success_timestamp_seconds{{job="bulkhooks"}} {before}\n'
    _figures(metrics(Job(name=name), Report(FAILED), earlier))
