"""Networks and suspended locations, from the server to the results."""

from __future__ import annotations

import json

import openpyxl
import pytest

from tests.processes import UNLIMITED, bulkhooks, sandbox_process, stored


@pytest.fixture
def server(tmp_path):
    """A network of two locations, one of them suspended, and a location by itself."""
    network = ("--locations", "1001-1003", "--network", "900 Harbour UK=1001-1002", "--suspended", "1002")
    with sandbox_process(tmp_path, *network) as base_url:
        yield base_url


def command(server, folder, name, *arguments):
    return bulkhooks(
        name, *arguments, "--locations", "live", "--journal", "journal.db", "--base-url", server, *UNLIMITED,
        cwd=folder, NEXUDUS_TOKEN="sandbox-token",
    )  # fmt: skip


def run(server, folder, *business_ids):
    rows = [f"{business_id},BookingCreate,https://h.example.com/in" for business_id in business_ids]
    (folder / "hooks.csv").write_text("\n".join(["BusinessId,Action,URL", *rows]), encoding="utf-8")
    ended = command(server, folder, "run", "hooks.csv", "--json", "-o", "out.jsonl")
    assert ended.returncode == 0, ended.stderr
    results = [json.loads(line) for line in (folder / "out.jsonl").read_text("utf-8").splitlines()]
    codes = {warning["code"]: warning["count"] for warning in json.loads(ended.stdout)["warnings"]}
    return [row["BusinessId"] for row in results], [row["Warning"] or "" for row in results], codes


def test_the_name_of_a_network_is_the_group_of_its_locations(server, tmp_path):
    """The network itself gets no webhook; the row that names a suspended location has a warning."""
    ids, warnings, codes = run(server, tmp_path, "@harbour uk")
    assert ids == [1001, 1002]
    assert {webhook["BusinessId"] for webhook in stored(server)} == {1001, 1002}
    assert [warning.partition(":")[0] for warning in warnings if warning] == ["suspended-location"]
    assert codes.keys() == {"suspended-location"}


def test_the_id_of_a_network_is_sent_with_a_warning(server, tmp_path):
    """It names the network alone, where nothing happens."""
    ids, warnings, codes = run(server, tmp_path, "900", "1003")
    assert ids == [900, 1003]
    assert warnings[0].startswith("network-location: Harbour UK (900) is a network")
    assert warnings[1] == ""
    assert codes == {"network-location": 1}


@pytest.mark.parametrize("every", ["*", "all"])
def test_every_location_leaves_out_networks_and_says_so(server, tmp_path, every):
    """Once for the whole input, not in every row."""
    ids, warnings, codes = run(server, tmp_path, every)
    assert ids == [1001, 1002, 1003]
    assert not any("network-location" in warning for warning in warnings)
    assert codes["network-location"] == 1


def test_a_template_has_the_networks_and_is_understood(server, tmp_path):
    """Its sheet Locations names the network of each location, and a group of that name means the same offline."""
    assert command(server, tmp_path, "template", "new.xlsx").returncode == 0
    book = openpyxl.load_workbook(tmp_path / "new.xlsx")
    rows = list(book["Locations"].iter_rows(min_row=2, values_only=True))
    assert [(row[0], *row[3:]) for row in rows] == [
        (900, None, None), (1001, "Harbour UK", None), (1002, "Harbour UK", "yes"), (1003, None, None),
    ]  # fmt: skip
    for column, value in enumerate(["@Harbour UK", "Plan created (TariffCreate)", "https://h.example.com/"], start=1):
        book["Hooks"].cell(5, column).value = value
    book.save(tmp_path / "new.xlsx")
    checked = json.loads(bulkhooks("check", "new.xlsx", "--json", cwd=tmp_path).stdout)
    assert checked["counts"] == {"planned": 2}
    assert [problem["code"] for problem in checked["problems"]] == ["suspended-location"]
