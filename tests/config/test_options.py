"""The table of options against the page that promises them, and how what is said becomes a value."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhooks.cli.app import app
from bulkhooks.config.job import Job
from bulkhooks.config.option import (
    COUNT,
    FLAG,
    PATH,
    PERIOD,
    PLACE,
    RATE,
    SECONDS,
    SHARD,
    STORE,
    TEXT,
    WHOLE,
    at_home,
    did_you_mean,
)
from bulkhooks.config.options import (
    BY_NAME,
    GROUPS,
    OPTIONS,
    SANDBOX_GROUPS,
    SANDBOX_OPTIONS,
    SERVE_GROUPS,
    SERVE_OPTIONS,
    of_command,
)
from bulkhooks.config.sources import given_values
from bulkhooks.errors import UsageError
from bulkhooks.provision.shard import Shard

READS = "run check plan"
TALKS = "run plan undo health check template export"
SPEAKS = "run check plan undo health results runs template export journal"

PROMISED = {
    **dict.fromkeys(("sheet", "map", "name_template"), READS),
    "locations": f"{READS} template sandbox",
    **dict.fromkeys(("if_exists", "prune", "max_deletes", "strict", "limit", "canary", "resend_unknown"), "run plan"),
    **dict.fromkeys(("rate", "request_rate"), f"{TALKS} sandbox"),
    **dict.fromkeys(("concurrency", "timeout", "retries", "give_up_after", "settle", "wait", "max_runtime"), TALKS),
    **dict.fromkeys(("base_url", "account", "auth", "allow_http", "no_progress"), TALKS),
    **dict.fromkeys(("accounts", "sandbox"), f"{TALKS} serve"),
    "journal": f"{TALKS} results runs journal serve",
    **dict.fromkeys(("log_format", "log_file", "job"), f"{SPEAKS} serve"),
    **dict.fromkeys(("json", "quiet"), f"{SPEAKS} actions"),
    "verbose": f"{SPEAKS} actions serve",
    "port": "sandbox serve",
    **dict.fromkeys(("no_open", "behind_proxy", "public_url", "user_header", "proxy_address", "bind"), "serve"),
    "output": "run check plan undo health results",
    "yes": "run undo health journal",
    "keep": "run journal",
    "write_back": "run check",
    "confirm_above": "run",
    "owned": "undo",
    "expect_no_changes": "plan",
    **dict.fromkeys(("live", "probe"), "check"),
    "run": "undo results",
    **dict.fromkeys(("reactivate", "since", "only"), "health"),
    "metrics_file": "run",
    "lease": "run undo health",
    "workers": "run",
    "scheduler": "run",
    "run_id": "run",
    "shard": "run",
    "wait_lock": "run undo",
    **dict.fromkeys(
        ("host", "latency", "fault", "seed", "role", "token_lifetime", "state", "ids_from", "secret"), "sandbox"
    ),
    "retry_delays": "sandbox",
    "network": "sandbox",
    "suspended": "sandbox",
}
"""Each long option, and the commands that take it (bulkhooks/docs/reference.md, Options)."""

DEFAULTS = {
    "name_template": "{Location} - {Action}", "if_exists": "skip", "max_deletes": 10, "canary": 0, "confirm_above": 100,
    "rate": ("60/min", "5000/day"), "request_rate": ("1/100ms", "120/min", "5000/h"), "concurrency": 8, "timeout": 30,
    "retries": 5, "give_up_after": 300, "settle": 30, "wait_lock": 0, "base_url": "",
    "account": "default", "auth": "bearer", "log_format": "text", "limit": None, "max_runtime": None, "verbose": 0,
}  # fmt: skip
"""Those of bulkhooks/docs/reference.md, Options; a flag that is not among them is off."""

SHORT = {"-o": "output", "-y": "yes", "-v": "verbose", "-q": "quiet"}

program = app
COMMANDS = sorted(program.commands)


def _long_flags(command):
    return {flag for parameter in program.commands[command].params for flag in parameter.opts if flag.startswith("--")}


def test_the_commands_are_those_of_the_page():
    """No command is missing, and none is there that the page does not name."""
    assert " ".join(COMMANDS) == "actions check export health journal plan results run runs sandbox serve template undo"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_takes_the_options_that_the_page_gives_it(command):
    """The parser of each command knows exactly these long options."""
    promised = {f"--{name.replace('_', '-')}" for name, commands in PROMISED.items() if command in commands.split()}
    assert _long_flags(command) - {"--help"} == promised


def test_short_flags():
    """-o, -y, -v and -q are short for what they are everywhere."""
    flags = {
        flag: parameter.name
        for command in COMMANDS
        for parameter in program.commands[command].params
        for flag in parameter.opts
        if len(flag) == 2 and flag != "-h"
    }
    assert flags == SHORT


def test_every_option_is_a_field_of_the_job_with_the_promised_default():
    """What a command line can say, a ``Job`` can say in Python, by the same name and with the same default."""
    defaults = {field.name: field.default for field in fields(Job)}
    for option in OPTIONS:
        if option.name == "job":
            continue
        assert option.name in defaults
        if option.kind == FLAG:
            assert defaults[option.name] is False
    assert {name: defaults[name] for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize("option", BY_NAME.values(), ids=lambda option: option.name)
def test_a_field_of_the_job_has_the_type_of_its_option(option):
    """What is read from a ``Job`` is what its option makes of text, whichever way the job was made."""
    types = {FLAG: bool, COUNT: int, WHOLE: int, SECONDS: float, PERIOD: float, PATH: Path, STORE: Path, SHARD: Shard}
    text, value = SAID.get(option.kind, ("a", "a"))
    if option.choices:
        text = value = option.choices[0]
    if option.name == "accounts":
        return
    expected = (value,) if option.repeatable else value
    assert getattr(Job(**{option.name: text}), option.name) == expected
    assert getattr(Job(**{option.name: expected}), option.name) == expected
    assert isinstance(value, types.get(option.kind, str))
    if option.name != "base_url":
        assert getattr(Job(**{option.name: None}), option.name) == option.initial == getattr(Job(), option.name)


def test_every_option_has_a_section_of_the_help_and_says_what_holds_without_it():
    """No option is left out of the sections, and only flags show no default."""
    tables = ((OPTIONS, GROUPS), (SANDBOX_OPTIONS, SANDBOX_GROUPS), (SERVE_OPTIONS, SERVE_GROUPS))
    for option, groups in [(option, groups) for options, groups in tables for option in options]:
        assert option.group in groups
        assert bool(option.shown_default) == (option.kind not in {FLAG, COUNT})


def test_a_job_cannot_be_changed():
    """It is frozen: a changed job is another one."""
    with pytest.raises(AttributeError):
        Job().strict = True


def test_every_flag_can_be_said_no_to():
    """--no-strict takes back what the environment or a job file says; --no-progress says no already."""
    for command in COMMANDS:
        for parameter in program.commands[command].params:
            option = BY_NAME.get(parameter.name)
            if option is not None and option.kind == FLAG and command in option.commands:
                no = [] if option.name == "no_progress" else [f"--no-{option.name.replace('_', '-')}"]
                assert parameter.secondary_opts == no


SAID = {FLAG: ("yes", True), COUNT: ("2", 2), RATE: ("7/min", "7/min"), WHOLE: ("7", 7), SECONDS: ("7.5", 7.5),
        PERIOD: ("90d", 90 * 86_400.0),
        SHARD: ("3/16", Shard(3, 16)),
        PATH: ("here.txt", Path("here.txt")), STORE: ("here.txt", Path("here.txt"))}  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_variable(command):
    """BULKHOOKS_<OPTION> is read for each option of a command, and becomes a value of the option's kind."""
    for option in of_command(command):
        text, value = SAID.get(option.kind, ("here.txt", "here.txt"))
        if option.choices:
            text = value = option.choices[-1]
        expected = (value,) if option.repeatable else value
        assert given_values(command, {}, {f"BULKHOOKS_{option.name.upper()}": text}) == {option.name: expected}


def test_a_repeatable_variable_takes_one_value_a_line():
    """Lines are values; spaces around them and empty lines count for nothing."""
    assert given_values("run", {}, {"BULKHOOKS_MAP": "Hook address=URL\n\n  Centre=BusinessId \r\n"}) == {
        "map": ("Hook address=URL", "Centre=BusinessId")
    }


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("concurrency", "many", "--concurrency: 'many' is not a whole number"),
        ("concurrency", "0", "--concurrency: '0' is too small; the least is 1"),
        ("limit", "2.5", "--limit: '2.5' is not a whole number"),
        ("limit", "-1", "--limit: '-1' is too small; the least is 0"),
        ("timeout", "nan", "--timeout: 'nan' is not a number of seconds"),
        ("timeout", "0", "--timeout: '0' is too small; the least is 0.001"),
        ("if_exists", "udpate", "--if-exists: 'udpate' is none of skip, update, fail; did you mean 'update'?"),
        ("rate", "60/fortnight", "--rate: '60/fortnight' is not a rate"),
        ("request_rate", "0/s", "--request-rate: '0/s' allows nothing at all"),
    ],
)
def test_what_is_no_value_is_named(name, text, sentence):
    """The error names the flag, what was said and what would be right."""
    with pytest.raises(UsageError) as raised:
        BY_NAME[name].value([text] if BY_NAME[name].repeatable else text, BY_NAME[name].flag)
    assert str(raised.value).startswith(sentence)


def test_truths_in_the_environment():
    """A flag's variable takes the words that people write, and no other."""
    strict = BY_NAME["strict"]
    assert [strict.value(word, "") for word in ("1", "True", "YES", "on", "0", "false", "No", "off")] == [True] * 4 + [
        False
    ] * 4
    with pytest.raises(UsageError, match="BULKHOOKS_STRICT: 'maybe' is neither yes nor no"):
        strict.value("maybe", "BULKHOOKS_STRICT")


@given(
    st.text(max_size=20),
    st.sampled_from([option for option in OPTIONS if option.kind not in {TEXT, PATH, PLACE, STORE}]),
)
def test_any_text_is_a_value_or_a_usage_error(text, option):
    """Whatever is said of a flag, a number or a rate, it is taken or refused with the place in front."""
    said = []
    try:
        option.value(text, option.flag)
    except UsageError as error:
        said.append(str(error))
    assert all(sentence.startswith(f"{option.flag}: ") for sentence in said)


def test_a_tilde_is_the_home_where_there_is_one(monkeypatch):
    """~ is the user's home; a name that only begins like it (Excel's lock files) stays as it is."""
    monkeypatch.setenv("HOME", "/home/of-tests")
    assert str(at_home("~/hooks.xlsx")) == "/home/of-tests/hooks.xlsx"
    assert str(at_home("~$hooks.xlsx")) == "~$hooks.xlsx"


def test_the_nearest_name_is_given_as_it_is_written():
    """A guess is in the case of the name itself; with none near there is no guess."""
    assert did_you_mean("acme_tokn", ["HOME", "ACME_TOKEN"]) == "; did you mean 'ACME_TOKEN'?"
    assert did_you_mean("zzz", ["HOME"]) == ""
