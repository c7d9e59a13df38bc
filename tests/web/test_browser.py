"""A person at the page, in a real browser: mouse, keyboard, two of them, a server that is killed, and axe's rules."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
from pathlib import Path
from urllib.parse import urlsplit

import openpyxl
import pandas as pd
import pytest

from tests.processes import bulkhooks, sandbox_process, stored
from tests.web.server import PATIENCE, serving

pytestmark = pytest.mark.heavy

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LIMITS = ("--rate", "60/min", "--request-rate", "1/100ms", "--request-rate", "120/min")
MESSY = """Branch,Occasion,Destination,Owner
1001-1020,BookingCreate,https://hooks.example.com/in,Ann
1002,BokingCreate,https://hooks.example.com/two,Bob
"2,003",CoworkerCreate,https://hooks.example.com/in,Cy
1004,CoworkerCreate,htps://hooks.example.com/in,Dee
1021-1080,CoworkerUpdate,https://hooks.example.com/{BusinessId},Eve
"""


@pytest.fixture(scope="module")
def chromium():
    """Debian's browser, without a window."""
    api = pytest.importorskip("playwright.sync_api", reason="there is no Playwright: pip install bulkhooks[test]")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium here: apt-get install chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(browser, served, **options):
    """A new browser profile that has been let in; it fails where anything is asked of another address, or complains."""
    context = browser.new_context(accept_downloads=True, **options)
    context.set_default_timeout(PATIENCE * 400)
    page = context.new_page()
    host = urlsplit(served.base).netloc
    page.strangers = []
    page.complaints = []
    page.on("request", lambda request: urlsplit(request.url).netloc == host or page.strangers.append(request.url))
    page.on("console", lambda said: said.type == "error" and page.complaints.append(said.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(served.fresh())
    return page


def drop(page, path: Path):
    """Drop a file on the page."""
    page.evaluate_handle(
        """([name, text]) => {
            const data = new DataTransfer();
            data.items.add(new File([text], name));
            document.querySelector("[data-drop]").dispatchEvent(
                new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }""",
        [path.name, path.read_text()],
    )
    page.wait_for_url("**/sheets/*")


def correct(page, field, text):
    """Correct the first wrong cell of a column."""
    cell = page.locator(f"td.bad input[data-field={field}]").first
    cell.fill(text)
    with page.expect_response("**/cell"):
        cell.press("Enter")


def chosen(page):
    """Map the headings, and correct the three wrong cells."""
    for theirs, ours in {"Branch": "BusinessId", "Occasion": "Action", "Destination": "URL", "Owner": ""}.items():
        page.get_by_label(f"{theirs} is").select_option(ours)
    page.get_by_role("button", name="Use these").click()
    page.get_by_text("3 rows are wrong").wait_for()
    correct(page, "Action", "BookingCreate")
    correct(page, "BusinessId", "2003")
    correct(page, "URL", "https://hooks.example.com/in")
    page.get_by_text("every row is right").wait_for()


def planned(page):
    """See what would happen, up to the confirmation."""
    page.get_by_role("button", name=re.compile("See what")).click()
    page.get_by_role("link", name="Send …").click()


def results(page):
    """The results, as downloaded."""
    with page.expect_download() as got:
        page.get_by_role("link", name="Download the results").click()
    return _read(Path(got.value.path()))


def _read(path: Path) -> pd.DataFrame:
    """The sheet Results, whatever the file is called."""
    return pd.read_excel(io.BytesIO(path.read_bytes()), sheet_name="Results", engine="calamine")


def finished(page):
    """Wait for the end of a run."""
    page.get_by_role("link", name="Download the results").wait_for()


def test_from_a_messy_workbook_to_the_results_through_a_closed_tab_a_stop_and_a_killed_server(chromium, tmp_path):
    """The whole way at the real limits, and the same results as on the command line."""
    (tmp_path / "messy.csv").write_text(MESSY)
    with sandbox_process(tmp_path, *LIMITS, "--locations", "1001-1080,2003") as sandbox:
        variables = {"NEXUDUS_BASE_URL": sandbox, "NEXUDUS_TOKEN": "sandbox-token"}
        with serving(tmp_path / "state", **variables) as served:
            page = opened(chromium, served)
            drop(page, tmp_path / "messy.csv")
            chosen(page)
            with page.expect_download() as got:
                page.get_by_role("link", name="Download as corrected").click()
            (tmp_path / "corrected.csv").write_bytes(Path(got.value.path()).read_bytes())
            planned(page)
            confirmation = page.get_by_role("main").inner_text()
            assert "83 to create" in confirmation
            assert sandbox in confirmation
            assert "account default" in confirmation
            page.get_by_role("button", name=re.compile("^Send: create 83")).click()
            page.get_by_text(re.compile(r"[1-9]\d* of 83 done")).wait_for()
            place = page.url
            page.context.close()  # closing the tab stops nothing
            again = opened(chromium, served)
            other = opened(chromium, served)
            for each in (again, other):  # several see the same
                each.goto(place)
                each.get_by_text(re.compile(r"[1-9]\d* of 83 done")).wait_for()
            again.get_by_role("button", name="Stop").click()
            again.get_by_text("Stopped before its end").wait_for()
            other.get_by_text("Stopped before its end").wait_for()
            again.get_by_role("button", name="Go on").click()
            again.get_by_role("link", name="Send …").click()
            again.get_by_role("button", name=re.compile("^Send: create")).click()
            again.get_by_text(re.compile(r"[1-9]\d* of \d+ done")).wait_for()
            os.kill(served.process.pid, signal.SIGKILL)
            port = served.port
        with serving(tmp_path / "state", port=port, **variables) as served:
            page = opened(chromium, served)
            page.get_by_role("heading", name="Not finished").wait_for()
            page.get_by_role("button", name=re.compile("^Go on")).click()
            page.get_by_role("link", name="Send …").click()
            page.get_by_role("button", name=re.compile("^Send: create")).click()
            finished(page)
            ours = results(page)
            assert page.strangers == page.complaints == []
        found = stored(sandbox)
        assert len({(each["BusinessId"], each["Action"], each["URL"]) for each in found}) == len(found) == 83
    columns = {"Branch": "BusinessId", "Occasion": "Action", "Destination": "URL"}
    mapped = [word for theirs, field in columns.items() for word in ("--map", f"{theirs}={field}")]
    words = ["corrected.csv", "-o", "theirs.xlsx", "--sandbox", "--rate", "none", "--request-rate", "none"]
    assert bulkhooks("run", *words, *mapped, cwd=tmp_path).returncode == 0
    theirs = _read(tmp_path / "theirs.xlsx")
    same = ["BusinessId", "Action", "URL", "Name", "Owner"]
    assert ours[same].astype(str).to_numpy().tolist() == theirs[same].astype(str).to_numpy().tolist()
    assert set(ours["Status"]) <= {"created", "exists"}


def test_a_second_person_is_told_who_has_the_account(chromium, tmp_path):
    with sandbox_process(tmp_path, "--latency", "1", "--locations", "1001-1080") as sandbox:
        variables = {"NEXUDUS_BASE_URL": sandbox, "NEXUDUS_TOKEN": "sandbox-token"}
        with serving(tmp_path / "state", **variables) as served:
            pages = []
            for name, event in (("one.csv", 6), ("two.csv", 7)):
                (tmp_path / name).write_text(f"BusinessId,Action,URL\n1001-1080,{event},https://a.example\n")
                page = opened(chromium, served)
                drop(page, tmp_path / name)
                planned(page)
                page.get_by_role("button", name=re.compile("^Send: create")).wait_for()
                pages.append(page)
            for page in pages:
                page.get_by_role("button", name=re.compile("^Send: create")).click()
                page.wait_for_url("**/runs/*")
            pages[1].get_by_text(re.compile("has held account 'default' since")).wait_for()
            pages[0].get_by_role("button", name="Stop").click()
            finished(pages[0])


def test_the_keyboard_alone_is_enough(chromium, tmp_path):
    """From the sample to its results without a mouse."""
    with serving(tmp_path / "state", "--sandbox") as served:
        page = opened(chromium, served)

        def go_to(role, name):
            target = page.get_by_role(role, name=name).first
            target.wait_for()
            for _ in range(200):
                page.keyboard.press("Tab")
                if target.evaluate("each => each === document.activeElement"):
                    return
            raise AssertionError(f"Tab never comes to {name}")

        go_to("button", "Try it with the sample workbook")
        page.keyboard.press("Enter")
        for field, text in (("Action", "BookingUpdate"), ("URL", "https://books.example.com/paid"), ("Active", "yes")):
            wrong = page.locator(f"td.bad input[data-field={field}]").first
            go_to("textbox", wrong.get_attribute("aria-label"))
            page.keyboard.press("Control+a")
            page.keyboard.type(text)
            with page.expect_response("**/cell"):
                page.keyboard.press("Enter")
        page.get_by_text("every row is right").wait_for()
        go_to("button", "See what would happen")
        page.keyboard.press("Enter")
        go_to("link", "Send …")
        page.keyboard.press("Enter")
        go_to("button", re.compile("^Rehearse: create 24"))
        page.keyboard.press("Enter")
        finished(page)
        assert "24 created" in page.get_by_role("main").inner_text()
        assert page.strangers == page.complaints == []


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """axe-core of this moment, from the registry."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm here to fetch axe-core with")
    folder = tmp_path_factory.mktemp("axe")
    done = subprocess.run(
        [npm, "pack", "axe-core@4"], cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    if done.returncode:
        pytest.skip("axe-core cannot be fetched here")
    with tarfile.open(next(folder.glob("*.tgz"))) as package:
        source = package.extractfile("package/axe.min.js")
        assert source is not None
        return source.read().decode()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 640, 390])
def test_no_rule_of_axe_is_broken_and_nothing_is_wider_than_the_screen(chromium, tmp_path, axe, scheme, width):
    """Every page; 640 is what 1280 is at 200 %."""
    with serving(tmp_path / "state", "--sandbox") as served:
        page = opened(chromium, served, viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True)

        def look(where):
            page.evaluate(axe)
            found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
            told = [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found]
            assert told == [], f"{where}: {json.dumps(told, indent=1)}"
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{where} is {wide} px too wide"

        base = served.base
        for place in ("/", "/runs", "/health", "/template", "/events", "/nothing"):
            page.goto(base + place)
            look(place)
        page.goto(base)
        (tmp_path / "messy.csv").write_text(MESSY)
        drop(page, tmp_path / "messy.csv")
        look("mapping")
        page.goto(base)
        page.get_by_role("button", name="Try it with the sample workbook").click()
        look("wrong cells")
        page.get_by_role("button", name="See what would happen").click()
        page.get_by_role("link", name="Send …").wait_for()
        look("plan")
        page.get_by_role("link", name="Send …").click()
        look("confirmation")
        page.get_by_role("button", name=re.compile("^Rehearse")).click()
        finished(page)
        look("results")
        page.goto(f"{base}/runs")
        look("a run")
        page.goto(f"{base}/health")
        page.get_by_role("button", name="Look at every webhook").click()
        page.get_by_text("looked up").wait_for()
        look("health")


def test_a_workbook_is_corrected_and_compared_cell_by_cell(chromium, tmp_path):
    """What is downloaded as corrected differs from what was dropped in the corrected cells alone."""
    with serving(tmp_path / "state", "--sandbox") as served:
        page = opened(chromium, served)
        page.get_by_role("button", name="Try it with the sample workbook").click()
        page.get_by_text("3 rows are wrong").wait_for()
        with page.expect_download() as before:
            page.get_by_role("link", name="Download as corrected").click()
        correct(page, "Action", "BookingUpdate")
        page.reload()
        with page.expect_download() as after:
            page.get_by_role("link", name="Download as corrected").click()
        books = [
            openpyxl.load_workbook(io.BytesIO(Path(got.value.path()).read_bytes()))["Hooks"] for got in (before, after)
        ]
        cells = [{cell.coordinate: cell.value for row in book for cell in row} for book in books]
        assert {name for name in cells[0] if cells[0][name] != cells[1][name]} == {"B4"}
