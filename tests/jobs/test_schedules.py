"""Schedules: what each system that runs them would say of them, as far as that can be asked here."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from tests.jobs.command_lines import JOBS, SCHEDULES, container, in_crontab, manifests, pod, unit
from tests.processes import bulkhooks

ANALYZE = shutil.which("systemd-analyze")


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not on this machine")
def test_systemd_takes_the_units(tmp_path):
    """``systemd-analyze verify`` finds nothing to say of the service and its timer."""
    program = tmp_path / "bulkhooks"
    program.symlink_to(sys.executable)
    service = (SCHEDULES / "bulkhooks.service").read_text("utf-8").replace("/opt/bulkhooks/bin/bulkhooks", str(program))
    (tmp_path / "bulkhooks.service").write_text(service, "utf-8")
    shutil.copy(SCHEDULES / "bulkhooks.timer", tmp_path)
    verified = subprocess.run(
        [ANALYZE, "verify", "--man=no", tmp_path / "bulkhooks.service", tmp_path / "bulkhooks.timer"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (verified.returncode, verified.stderr) == (0, "")


def test_the_service_holds_little_and_keeps_its_state():
    """It runs once, not as root, gets the token as a credential, and can write its state directory alone."""
    service = unit("bulkhooks.service")["Service"]
    assert service["Type"] == "oneshot"
    assert service["User"] not in {"", "root", "0"}
    credential = service["LoadCredential"].partition(":")[0]
    assert service["Environment"] == f"NEXUDUS_TOKEN_FILE=%d/{credential}"
    assert service["StateDirectory"] == "bulkhooks"
    assert service["ExecStart"].split()[-1].startswith("%S/bulkhooks/")
    assert (service["ProtectSystem"], service["NoNewPrivileges"]) == ("strict", "yes")
    assert service["SuccessExitStatus"] == "4"
    assert unit("bulkhooks.timer")["Timer"]["Persistent"] == "true"


def test_the_cronjob_runs_alone_and_keeps_its_journal():
    """One run at a time, never again at once, its journal on the claim, its token from the Secret."""
    cronjob = manifests()["CronJob"]["spec"]
    assert cronjob["concurrencyPolicy"] == "Forbid"
    assert cronjob["jobTemplate"]["spec"]["backoffLimit"] == 0
    volumes = {volume["name"]: volume for volume in pod()["volumes"]}
    mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in container()["volumeMounts"]}
    claim = manifests()["PersistentVolumeClaim"]["metadata"]["name"]
    assert mounts["/data"]["persistentVolumeClaim"]["claimName"] == claim
    assert mounts["/etc/bulkhooks"]["configMap"]["name"] == manifests()["ConfigMap"]["metadata"]["name"]
    variables = {variable["name"]: variable for variable in container()["env"]}
    assert variables["NEXUDUS_TOKEN_FILE"]["value"] == "/run/secrets/bulkhooks/token"
    assert mounts["/run/secrets/bulkhooks"]["secret"]["items"] == [{"key": "token", "path": "token"}]
    assert {"NOTIFY_URL", "PING_URL"} <= variables.keys()


def test_the_pod_may_do_little():
    """Not root, no privileges, no writing but on its volumes, no token of the cluster."""
    assert pod()["securityContext"]["runAsNonRoot"] is True
    assert pod()["securityContext"]["runAsUser"] > 0
    assert pod()["automountServiceAccountToken"] is False
    limits = container()["securityContext"]
    assert limits["readOnlyRootFilesystem"] is True
    assert limits["allowPrivilegeEscalation"] is False
    assert limits["capabilities"] == {"drop": ["ALL"]}


def test_the_windows_task_does_not_pile_up():
    """A task that is still running is not started again, one that was missed is, and it needs no administrator."""
    task = ElementTree.parse(SCHEDULES / "windows-task.xml").getroot()
    space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    found = {element.tag.removeprefix(space): (element.text or "").strip() for element in task.iter()}
    assert found["MultipleInstancesPolicy"] == "IgnoreNew"
    assert found["StartWhenAvailable"] == "true"
    assert found["RunLevel"] == "LeastPrivilege"


def test_the_crontab_has_five_fields_of_time_and_no_percent():
    """Each line is a variable, a comment or a time and a command; cron would end a command at a %."""
    lines = (SCHEDULES / "crontab").read_text("utf-8").splitlines()
    commands = [line for line in lines if re.match(r"[\d*]", line)]
    assert len(commands) == 2
    assert any(line.startswith("MAILTO=") for line in lines)
    for line in commands:
        assert all(re.fullmatch(r"[\d*,/-]+", field) for field in line.split()[:5])
        assert "%" not in line
    others = [line for line in lines if line.strip() and line not in commands and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Z_]+=\S+", line) for line in others)


@pytest.mark.parametrize(("sheet", "code"), [("1001,BookingCreate,https://example.com/h", 0), ("1001,x,ftp://z", 1)])
def test_the_crontabs_line_speaks_on_failure_alone(sheet, code, tmp_path):
    """What cron would mail: nothing of a run that ended well; else one line with input, counts and results."""
    for name in ("inbox", "state"):
        (tmp_path / name).mkdir()
    shutil.copy(JOBS / "nightly.toml", tmp_path)
    (tmp_path / "inbox/hooks.csv").write_text(f"BusinessId,Action,URL\n{sheet}\n")
    (words,) = [words for words in in_crontab() if words[0] == "run"]
    line = [word.replace("/srv/bulkhooks", str(tmp_path)) for word in words]
    done = bulkhooks(*line, "--sandbox", cwd=tmp_path)
    said = (done.stdout + done.stderr).splitlines()
    assert (done.returncode, len(said)) == (code, min(code, 1)), said
    if code:
        assert all(word in said[0] for word in ("hooks.csv", "1 invalid", "results"))
    log = (tmp_path / "state/nightly.log").read_text().splitlines()
    assert (log[0], log[-1]) == ("run started", "run finished")


def test_the_windows_tasks_failure_starts_the_task_that_tells():
    """It listens for the end of the other one with another result than 0, and puts an error into the event log."""
    space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    first = ElementTree.parse(SCHEDULES / "windows-task.xml").getroot()
    second = ElementTree.parse(SCHEDULES / "windows-task-failed.xml").getroot()
    query = ElementTree.fromstring(second.findtext(f".//{space}Subscription")).findtext(".//Select")
    name = first.findtext(f".//{space}URI")
    assert f"Data[@Name='TaskName']='{name}' and Data[@Name='ResultCode']!='0'" in query
    assert "EventID=201" in query
    assert "/T ERROR" in second.findtext(f".//{space}Arguments")
