"""Makes the README's pictures of the page anew, from a real one: ``python -m tests.make_pictures``."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.make_samples import SAMPLES
from tests.web.server import serving

_SIZE = {"width": 1000, "height": 560}
_CORRECTIONS = (("Action", "BookingUpdate"), ("URL", "https://books.example.com/paid"), ("Active", "yes"))


def _correct(page: Page) -> None:
    for field, text in _CORRECTIONS:
        cell = page.locator(f"td.bad input[data-field={field}]").first
        cell.fill(text)
        with page.expect_response("**/cell"):
            cell.press("Enter")


def main() -> None:
    """Drop the sample, correct it, look, rehearse; a picture of each."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with (
        tempfile.TemporaryDirectory() as state,
        serving(Path(state), "--sandbox") as served,
        sync_playwright() as tools,
    ):
        browser = tools.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport=_SIZE)
        page.goto(served.fresh())
        page.get_by_role("button", name="Try it with the sample workbook").click()
        page.get_by_text("3 rows are wrong").wait_for()
        page.screenshot(path=SAMPLES / "page.wrong.png")
        _correct(page)
        page.get_by_role("button", name="See what would happen").click()
        page.get_by_role("link", name="Send …").click()
        page.get_by_text("What would be made, changed and deleted").click()
        page.screenshot(path=SAMPLES / "page.plan.png")
        page.get_by_role("button", name=re.compile("^Rehearse")).click()
        page.get_by_role("link", name="Download the results").wait_for()
        page.screenshot(path=SAMPLES / "page.results.png")
        browser.close()


if __name__ == "__main__":
    main()
