"""Schedules that divide one run over many processes."""

from __future__ import annotations

import re
import shlex

import pytest
import yaml

from bulkhooks.provision.shard import read_shard
from tests.jobs.command_lines import SCHEDULES, parse

MANIFEST = SCHEDULES / "indexed-job.yaml"


@pytest.fixture
def job():
    return yaml.safe_load(MANIFEST.read_text("utf-8").replace("RUN_NAME", "night-42"))


def test_the_manifest_is_one_that_kubernetes_takes(job):
    """By the schema that is published for its newest version, with no field that it does not know."""
    validate = pytest.importorskip("kubernetes_validate", reason="pip install 'bulkhooks[test]'")
    validate.validate(job, validate.latest_version(), strict=True)
    wrong = job | {"spec": job["spec"] | {"backoffLimitPerIndices": 6}}
    with pytest.raises(validate.ValidationError):
        validate.validate(wrong, validate.latest_version(), strict=True)


def test_each_index_takes_its_shard_and_there_are_as_many_as_shards(job):
    (container,) = job["spec"]["template"]["spec"]["containers"]
    for index in (0, job["spec"]["completions"] - 1):
        words = [word.replace("$(JOB_COMPLETION_INDEX)", str(index)) for word in container["args"]]
        command, values = parse(words)
        assert command == "run"
        assert values["run_id"] == "night-42"
        assert values["shard"] == (index, job["spec"]["completions"])


def test_what_a_person_has_to_mend_fails_the_index_and_the_rest_is_tried_again(job):
    """The exit codes of bulkhooks/docs/reference.md: 1 to 3 do not get better by themselves, 4 and 5 do."""
    spec = job["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    codes = {
        code: rule["action"]
        for rule in spec["podFailurePolicy"]["rules"]
        if "onExitCodes" in rule and rule["onExitCodes"]["containerName"] == container["name"]
        for code in rule["onExitCodes"]["values"]
    }
    assert codes == {1: "FailIndex", 2: "FailIndex", 3: "FailIndex", 4: "Count", 5: "Count"}
    assert (spec["completionMode"], spec["backoffLimitPerIndex"] > 0) == ("Indexed", True)
    assert spec["template"]["spec"]["restartPolicy"] == "Never"  # which a policy of failures asks for
    assert spec["maxFailedIndexes"] == spec["completions"]


def test_the_two_machines_lines_are_taken_and_hold_no_secret():
    text = (SCHEDULES / "crontab-shards").read_text("utf-8")
    lines = [line for line in text.splitlines() if re.match(r"[\d*]", line)]
    assert len(lines) == 2
    assert all("%" not in line for line in lines)  # cron would end the command there
    found = {}
    for line in lines:
        words = shlex.split(line.replace('"$(/srv/bulkhooks/tonight)"', "night-2026-11-26"))[5:]
        assert words[0] == "/srv/bulkhooks/venv/bin/bulkhooks"
        command, values = parse(words[1:])
        found[command] = values
    assert found["run"]["shard"] == read_shard("0/2")
    assert found["run"]["run_id"] == found["results"]["run"] == "night-2026-11-26"
    variables = [line for line in text.splitlines() if re.match(r"[A-Z]", line)]
    assert all(re.match(r"(\w+_FILE|PGPASSFILE|BULKHOOKS_JOURNAL|MAILTO)=", line) for line in variables)
