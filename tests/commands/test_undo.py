"""What an undo takes back, against the sandbox over HTTP."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import httpx
import pytest

from bulkhooks import Job, run
from bulkhooks.commands.undo import undo
from bulkhooks.errors import BulkhooksError
from bulkhooks.provision.journal.journal import Journal
from bulkhooks.sandbox.options import parse_faults, parse_latency
from bulkhooks.sandbox.server import Sandbox, SandboxOptions
from tests.processes import UNLIMITED, start, stored

TOKEN = {"NEXUDUS_TOKEN": Sandbox.token}
HEADERS = {"Authorization": f"Bearer {Sandbox.token}"}
FIELDS = ("BusinessId", "Action", "URL", "Name", "Description", "Active")
LOCATIONS = frozenset(range(1001, 1041))


class Bench:
    """A folder with a journal, and the address of a sandbox."""

    def __init__(self, folder, base_url):
        self.folder, self.base_url = folder, base_url

    def job(self, name, **options):
        return Job(
            input=self.folder / name if name else (),
            base_url=self.base_url,
            environment=TOKEN,
            journal=self.folder / "journal.db",
            rate="none",
            request_rate="none",
            **{"settle": 0.05, "no_progress": True, **options},
        )

    def run(self, *rows, header="BusinessId,Action,URL,Name,Description,Active", output="out.csv", **options):
        (self.folder / "hooks.csv").write_text("".join(f"{line}\n" for line in (header, *rows)))
        return run(self.job("hooks.csv", output=self.folder / output, **options))

    def undo(self, name="out.csv", **options):
        return undo(self.job(name, output=self.folder / "undo.xlsx", **options))

    def there(self):
        """What the server has, without what it writes itself."""
        return [{name: record[name] for name in FIELDS} for record in stored(self.base_url)]

    def make(self, **fields):
        """Somebody makes a webhook in the panel; gives its id."""
        usual = {"BusinessId": 1001, "Action": 6, "URL": "https://a.example/x", "Name": "theirs", "Active": True}
        answer = httpx.post(f"{self.base_url}/api/sys/webhooks", json={**usual, **fields}, headers=HEADERS)
        return answer.json()["Value"]["Id"]

    def change(self, webhook_id, **fields):
        """Somebody changes a webhook in the panel."""
        (record,) = [record for record in stored(self.base_url) if record["Id"] == webhook_id]
        httpx.put(f"{self.base_url}/api/sys/webhooks", json={**record, **fields}, headers=HEADERS).raise_for_status()


@pytest.fixture
def bench(tmp_path):
    with Sandbox(SandboxOptions(locations=LOCATIONS)) as sandbox:
        yield Bench(tmp_path, sandbox.base_url)


def booking(*locations, url="https://a.example/x", rest=",,"):
    return [f"{location},BookingCreate,{url},{rest}" for location in locations]


def test_what_was_there_before_the_run_stays(bench):
    """Of four rows one is somebody's own, and one was changed since: two are deleted, exit code 1."""
    bench.make()
    bench.run(*booking(1001, 1002, 1003, 1004))
    changed = stored(bench.base_url)[-1]
    bench.change(changed["Id"], URL="https://b.example/")
    report = bench.undo()
    assert (report.exit_code, report.counts) == (1, {"deleted": 2, "changed": 1})
    assert any("1 row is left out" in warning for warning in report.warnings)
    assert report.results["Row"].tolist() == ["hooks.csv:3", "hooks.csv:4", "hooks.csv:5"]
    assert [webhook["Name"] for webhook in bench.there()] == ["theirs", changed["Name"]]


@pytest.mark.parametrize("output", ["out.xlsx", "out.csv"])
def test_a_file_of_a_repeated_run_takes_back_nothing_and_with_owned_all_that_is_ours(bench, output):
    """The second run found everything there: its own file has nothing to take back."""
    bench.make()
    for _ in range(2):
        bench.run(*booking(1001, 1002, 1003), output=output)
    report = bench.undo(output)
    assert (report.exit_code, report.counts) == (0, {})
    assert any("nothing to undo" in warning for warning in report.warnings)
    assert any("--owned" in warning for warning in report.warnings)
    assert len(bench.there()) == 3
    assert bench.undo(output, owned=True).counts == {"deleted": 2}
    assert [webhook["Name"] for webhook in bench.there()] == ["theirs"]


@pytest.mark.parametrize("by", ["file of the run", "later file, owned"])
def test_an_undo_in_two_parts_deletes_the_twins_of_what_the_first_part_deleted(bench, by):
    """A file has one id a row; the journal knows the other one, which the same row made."""
    bench.run(*booking(1001, 1002))
    first, second = (record["Id"] for record in stored(bench.base_url))
    name = next(record["Name"] for record in bench.there() if record["BusinessId"] == 1001)
    twin = bench.make(Name=name)
    with Journal(bench.folder / "journal.db") as journal:
        journal.own_all(1, 0, [first, twin], time.time())
    bench.run(*booking(1001, 1002), output="later.csv")
    given = {"name": "out.csv"} if by == "file of the run" else {"name": "later.csv", "owned": True}
    first_part = bench.undo(**given, limit=1)
    assert first_part.counts == {"deleted": 1, "pending": 2}
    assert sorted(first_part.results["WebhookId"]) == [first, second, twin]
    assert first_part.results["Row"].tolist().count("hooks.csv:2") == 2
    assert sorted(record["Id"] for record in stored(bench.base_url)) == [second, twin]
    assert bench.undo(**given).counts == {"deleted": 2}
    assert bench.there() == []


@pytest.mark.parametrize("by", ["file", "run"])
def test_an_update_is_taken_back_field_by_field(bench, by):
    """URL, Name, Description and Active are what they were before; what the run made is gone."""
    bench.make(Description="before", Active=False)
    bench.make(BusinessId=1002, URL="https://old.example/{x}", Description=None)
    before = bench.there()
    report = bench.run(
        "1001,BookingCreate,https://a.example/x,ours,after,yes,",
        "1002,BookingCreate,https://new.example/,ours,text,no,https://old.example/{{x}}",
        "1003,BookingCreate,https://a.example/x,new,,,",
        header="BusinessId,Action,URL,Name,Description,Active,Replaces",
        if_exists="update",
    )
    assert report.counts == {"created": 1, "updated": 2}
    given = {"name": "out.csv"} if by == "file" else {"name": "", "run": report.summary.run_id}
    report = bench.undo(**given)
    assert (report.exit_code, report.counts) == (0, {"deleted": 1, "restored": 2})
    assert bench.there() == before
    rows = report.results.set_index("Row")
    assert (
        rows.at["hooks.csv:2", "Changes"] == "Name: ours -> theirs; Description: after -> before; Active: true -> false"
    )
    assert "URL: https://new.example/ -> https://old.example/{x}" in rows.at["hooks.csv:3", "Changes"]
    assert rows.at["hooks.csv:3", "URL"] == "https://old.example/{x}"
    again = bench.undo(**given)
    assert again.counts == {}
    assert any("nothing to undo" in warning for warning in again.warnings)
    assert bench.there() == before


@pytest.mark.parametrize("field", ["Name", "Description", "Active", "URL"])
def test_what_somebody_changed_since_the_update_is_left_alone(bench, field):
    """Whichever field it was: the row is changed, its Error names the field, and the exit code is 1."""
    webhook_id = bench.make()
    bench.run(*booking(1001, rest="ours,text,yes"), if_exists="update")
    bench.change(webhook_id, **{field: False if field == "Active" else "https://else.example/"})
    kept = bench.there()
    report = bench.undo()
    assert (report.exit_code, report.counts) == (1, {"changed": 1})
    assert report.results["Error"][0].startswith(f"left alone: {field} is ")
    assert bench.there() == kept


def test_what_was_deleted_since_the_update_is_missing(bench):
    """Nothing is made again."""
    webhook_id = bench.make()
    bench.run(*booking(1001, rest="ours,,"), if_exists="update")
    httpx.delete(f"{bench.base_url}/api/sys/webhooks/{webhook_id}", headers=HEADERS).raise_for_status()
    report = bench.undo()
    assert (report.exit_code, report.counts) == (0, {"missing": 1})


def test_each_of_two_updates_is_taken_back_by_its_own_file(bench):
    """The first one's file changes nothing while the second one stands."""
    bench.make()
    for name in ("first", "second"):
        bench.run(*booking(1001, rest=f"{name},,"), if_exists="update", output=f"{name}.csv")
    for results, code, name in (("first.csv", 1, "second"), ("second.csv", 0, "first"), ("first.csv", 0, "theirs")):
        assert bench.undo(results).exit_code == code
        assert [webhook["Name"] for webhook in bench.there()] == [name]


def test_a_row_that_was_taken_out_of_the_file_is_not_taken_back(bench):
    """Whoever wants to undo a part of a run deletes the other rows."""
    bench.run(*booking(1001, 1002))
    lines = (bench.folder / "out.csv").read_text("utf-8-sig").splitlines()
    (bench.folder / "part.csv").write_text("\n".join(lines[:2]))
    assert bench.undo("part.csv").counts == {"deleted": 1}
    assert [webhook["BusinessId"] for webhook in bench.there()] == [1002]


@pytest.mark.parametrize("owned", [False, True])
def test_a_file_of_another_server_takes_nothing_back_from_this_one(bench, owned):
    """Both servers have given the same ids."""
    bench.run(*booking(1001, 1002))
    with Sandbox(SandboxOptions(locations=LOCATIONS)) as other:
        elsewhere = Bench(bench.folder, other.base_url)
        elsewhere.run(*booking(1001, 1002, url="https://b.example/y"), output="theirs.csv")
    (bench.folder / "moved.csv").write_bytes((bench.folder / "theirs.csv").read_bytes())
    report = bench.undo("moved.csv", owned=owned)
    assert "deleted" not in report.counts
    assert len(bench.there()) == 2


def test_the_question_says_how_many_of_each(bench):
    """And where; whoever says no keeps everything."""
    bench.make()
    bench.run("1001,BookingCreate,https://a.example/x,ours,,", *booking(1002, 1003), if_exists="update")
    bench.run(*booking(1001, 1002, 1003, 1004), if_exists="update", output="second.csv")
    asked = []

    def answer(question):
        asked.append(question.sentence.removeprefix(f"{bench.base_url}, account default: "))
        return False

    for name in ("out.csv", "second.csv"):
        with pytest.raises(BulkhooksError, match="nothing was taken back"):
            undo(bench.job(name, output=bench.folder / "undo.csv"), ask=answer)
    assert asked == [
        "Delete 2 webhooks and give 1 webhook its old fields back?",
        "Delete 1 webhook (3 that were there before the run are left out)?",
    ]
    assert len(bench.there()) == 4


def test_a_pruned_webhook_is_said_to_stay_away(bench):
    """A deletion cannot be taken back."""
    bench.run(*booking(1001, 1002))
    bench.run(*booking(1001), prune=True)
    report = bench.undo()
    assert any("1 webhook that the run deleted is not brought back" in warning for warning in report.warnings)


def child(bench, *arguments, settle):
    """The command as a process, to be killed."""
    options = ("--base-url", bench.base_url, "--journal", "journal.db", "--settle", settle, "--no-progress", *UNLIMITED)
    nowhere = subprocess.DEVNULL
    return start(*arguments, *options, cwd=bench.folder, stdout=nowhere, stderr=nowhere, **TOKEN)


def kill_when(process, is_so):
    """SIGKILL as soon as it is so."""
    while not is_so() and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait(timeout=120) == -signal.SIGKILL, "it came to its end before"


needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="ends a process by a signal")


@needs_signals
@pytest.mark.parametrize(("fault", "arrived"), [("drop-after=0.5", 1), ("drop-before=0.5", 0)])
def test_what_the_run_has_in_doubt_is_looked_up_first(tmp_path, fault, arrived):
    """The run is killed while a create without an answer waits to be looked up; by the seed its listing is answered."""
    with Sandbox(SandboxOptions(locations=LOCATIONS, fault=parse_faults([fault]), seed=1)) as far_end:
        bench = Bench(tmp_path, far_end.base_url)
        (tmp_path / "hooks.csv").write_text("BusinessId,Action,URL\n1001,BookingCreate,https://a.example/x\n")
        process = child(bench, "run", "hooks.csv", settle="600")
        stats = f"{far_end.base_url}/sandbox/stats"
        kill_when(process, lambda: sum(httpx.get(stats).json()["faults"].values()))
        assert len(bench.there()) == arrived
        report = bench.undo("", run="last", retries=20)
        assert report.counts == ({"deleted": 1} if arrived else {"missing": 1})
        assert bench.there() == []


@needs_signals
def test_an_undo_that_was_killed_is_taken_up_again(tmp_path):
    """In the middle of its deletions and of what gets its old fields back, over a slow line."""
    with Sandbox(SandboxOptions(locations=LOCATIONS, latency=parse_latency("100ms"))) as far_end:
        bench = Bench(tmp_path, far_end.base_url)
        for location in range(1001, 1013):
            bench.make(BusinessId=location, Description="before")
        before = bench.there()
        rows = booking(*range(1001, 1013), rest="ours,after,no")
        new = booking(*range(1013, 1025))
        assert bench.run(*rows, *new, if_exists="update").counts == {"created": 12, "updated": 12}
        for kind in ("deletion", "old fields"):
            # One request after the other: seconds are left when the first effect is seen.
            process = child(bench, "undo", "out.csv", "-y", "--concurrency", "1", settle="0.1")
            if kind == "deletion":
                kill_when(process, lambda: len(stored(far_end.base_url)) < 24)
            else:
                kill_when(process, lambda: any(webhook in before for webhook in bench.there()))
            assert bench.there() != before
        assert bench.undo().exit_code == 0
        assert bench.there() == before
