"""The reference beside the tables of the code: a name that only one of them has fails a test."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from bulkhooks.cli.app import app
from bulkhooks.commands.health import HEALTH_COLUMNS, Health
from bulkhooks.config.accounts import AccountSettings
from bulkhooks.config.job import Notify
from bulkhooks.config.job_file import NOTIFY_ON
from bulkhooks.config.options import BY_NAME, OPTIONS, SANDBOX_OPTIONS, SERVE_OPTIONS, Option
from bulkhooks.errors import ErrorCode, WarningCode
from bulkhooks.nexudus import certificates, proxies
from bulkhooks.report import EXIT_CODES, Summary
from bulkhooks.sandbox.faults import FAULT_KINDS
from bulkhooks.sheets.reading.headers import ALIASES
from bulkhooks.webhook import RESULT_COLUMNS, Status
from tests.docs.pages import CODE, DOCS, anchor, first_words, headings, prose, section, table

PACKAGE = DOCS.parent
PAGE = DOCS / "reference.md"
GROUPS = tuple(dict.fromkeys(option.group for option in OPTIONS))


def _row_of(option: Option) -> list[str]:
    if option in SANDBOX_OPTIONS:
        tables = [table(PAGE, "Sandbox")]
    else:
        tables = [table(PAGE, group) for group in (("The page",) if option in SERVE_OPTIONS else GROUPS)]
    rows = [row for rows in tables for row in rows if re.match(rf"`{option.flag}[ `]", row[0])]
    assert len(rows) == 1, f"{option.flag} stands {len(rows)} times on the page"
    return rows[0]


def _number(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def test_every_command_is_on_the_page_and_no_other():
    commands = [name for name, known in app.commands.items() if not known.hidden]
    assert sorted(first_words(PAGE, "Commands")) == sorted(commands)


@pytest.mark.parametrize("group", GROUPS)
def test_every_option_is_on_the_page_in_its_section_of_the_help_and_no_other(group):
    assert first_words(PAGE, group) == [option.flag for option in OPTIONS if option.group == group]


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_the_page_names_the_commands_that_take_an_option(option):
    assert set(_row_of(option)[2].split()) == option.commands


@pytest.mark.parametrize(
    "option", [*OPTIONS, *SANDBOX_OPTIONS, *SERVE_OPTIONS], ids=lambda option: f"{option.group} {option.flag}"
)
def test_the_page_has_the_default_of_an_option(option):
    written = _row_of(option)[1]
    default = option.initial
    if default is False:
        assert written == "off"
    elif default in (None, ()):
        assert not written.startswith("`--")
        assert written not in {"", "off"}
    else:
        values = default if isinstance(default, tuple) else (default,)
        assert CODE.findall(written) == [str(_number(value)) for value in values]


@pytest.mark.parametrize("option", [*OPTIONS, *SANDBOX_OPTIONS, *SERVE_OPTIONS], ids=lambda option: option.flag)
def test_the_page_marks_what_may_be_given_several_times(option):
    assert _row_of(option)[0].endswith("*") == option.repeatable


@pytest.mark.parametrize("option", [one for one in OPTIONS if one.short or one.choices], ids=lambda option: option.flag)
def test_the_page_has_an_options_short_form_and_its_choices(option):
    meaning = _row_of(option)[3]
    assert not option.short or f"`{option.short}`" in meaning
    if option.name == "only":
        states = first_words_of_states()
        assert [state.replace(" ", "-") for state in states] == list(option.choices)
    else:
        assert all(f"`{choice}`" in meaning for choice in option.choices)


def first_words_of_states() -> list[str]:
    return [CODE.search(row[0])[1] for row in table(PAGE, "Health states")]


def test_if_exists_has_a_row_for_each_of_its_words():
    assert first_words(PAGE, "Existing webhooks") == list(BY_NAME["if_exists"].choices)


def test_every_option_of_the_sandbox_is_on_the_page_and_no_other():
    assert sorted(first_words(PAGE, "Sandbox")) == sorted(option.flag for option in SANDBOX_OPTIONS)


def test_every_option_of_the_page_is_there_and_no_other():
    assert first_words(PAGE, "The page") == [option.flag for option in SERVE_OPTIONS]


def test_every_fault_of_the_sandbox_is_on_the_page_and_no_other():
    assert first_words(PAGE, "Faults") == list(FAULT_KINDS)


def test_every_header_of_the_input_is_on_the_page_under_its_field_and_no_other():
    written = {CODE.findall(row[0])[0]: tuple(CODE.findall(row[1])) for row in table(PAGE, "Input columns")}
    assert written == {field: tuple(aliases) for field, aliases in ALIASES.items()}


def test_every_column_of_the_results_is_on_the_page_in_its_order():
    assert first_words(PAGE, "Results columns") == list(RESULT_COLUMNS)


def test_every_status_is_on_the_page_and_no_other():
    assert first_words(PAGE, "Status") == list(Status)


CODES = {"Problem codes": ErrorCode, "Error codes": ErrorCode, "Warning codes": WarningCode}


def test_every_code_is_on_the_page_and_no_other():
    written = {heading: first_words(PAGE, heading) for heading in CODES}
    assert [*written["Problem codes"], *written["Error codes"]] == list(ErrorCode)
    assert written["Warning codes"] == list(WarningCode)


@pytest.mark.parametrize("heading", CODES)
def test_a_code_is_reserved_on_the_page_as_long_as_nothing_gives_it(heading):
    codes = CODES[heading]
    tables = {"advice.py"}  # what to do about every code
    text = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py") if path.name not in tables)
    given = {code for code in codes if f"{codes.__name__}.{code.name}" in text}
    for row in table(PAGE, heading):
        assert row[1].startswith("reserved: ") == (CODE.findall(row[0])[0] not in given), row


def test_every_exit_code_is_on_the_page_with_its_word():
    assert {CODE.findall(row[1])[0]: int(row[0]) for row in table(PAGE, "Exit codes")} == EXIT_CODES


def test_every_key_of_the_summary_is_on_the_page_in_its_order():
    assert first_words(PAGE, "Summary") == list(Summary("").as_dict())


def test_every_state_of_health_is_on_the_page_and_no_other():
    assert first_words_of_states() == list(Health)


def test_every_column_of_health_is_on_the_page_in_its_order():
    assert first_words(PAGE, "Health columns") == list(HEALTH_COLUMNS)


def test_every_key_of_a_job_file_is_on_the_page_and_no_other():
    assert first_words(PAGE, "Job") == ["name", "input"]
    assert first_words(PAGE, "Accounts") == [known.name for known in fields(AccountSettings)]
    assert first_words(PAGE, "Notify") == [known.name for known in fields(Notify)]
    assert all(f"`{word}`" in section(PAGE, "Notify") for word in NOTIFY_ON)


def test_every_variable_with_credentials_is_on_the_page_and_no_other():
    text = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    used = set(re.findall(r"NEXUDUS_[A-Z_]*[A-Z]", text))
    assert set(first_words(PAGE, "Credentials")) == {name for name in used if not name.endswith("_FILE")}


def test_every_variable_of_the_network_is_on_the_page_and_no_other():
    proxied = set(re.findall(r"``([A-Z_]+)``", str(proxies.__doc__)))
    trusted = set(re.findall(r"``([A-Z_]+)``", str(certificates.__doc__)))
    names = {name for row in table(PAGE, "Proxies and certificates") for name in CODE.findall(row[0])}
    assert names == proxied | trusted


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_page_and_a_heading_that_are_there(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if target.startswith(("http:", "https:")):
            continue
        path, _, fragment = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        if fragment:
            assert fragment in {anchor(heading) for heading in headings(linked)}, target
