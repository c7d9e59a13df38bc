"""Flags beat the environment, which beats the job file, which beats the defaults; and what job files may say."""

from __future__ import annotations

import json
import re
import time
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from bulkhooks.config.accounts import AccountSettings, read_toml
from bulkhooks.config.job import Job, Notify
from bulkhooks.config.job_file import read_job_file
from bulkhooks.config.option import COUNT, FLAG, PATH, PERIOD, PLACE, RATE, SECONDS, SHARD, STORE, WHOLE
from bulkhooks.config.options import BY_NAME, of_command
from bulkhooks.config.schema import job_schema
from bulkhooks.config.sources import resolve
from bulkhooks.errors import UsageError
from bulkhooks.provision.shard import Shard

VALUES = {
    # kind: as a flag, in the environment, in a job file; each with the value that comes of it
    FLAG: ((False, False), ("false", False), ("true", True)),
    COUNT: ((2, 2), ("1", 1), ("3", 3)),
    RATE: ((["1/s", "2/min"], ("1/s", "2/min")), ("3/s\n4/min", ("3/s", "4/min")), ('["5/s"]', ("5/s",))),
    WHOLE: (("3", 3), ("4", 4), ("5", 5)),
    SECONDS: (("3.5", 3.5), ("4.5", 4.5), ("5.5", 5.5)),
    PERIOD: (("90d", 7_776_000.0), ("2 H", 7_200.0), ('"1.5min"', 90.0)),
    SHARD: (("0/2", Shard(0, 2)), ("1/2", Shard(1, 2)), ('"2/3"', Shard(2, 3))),
    **dict.fromkeys(
        (PATH, STORE),
        (("flag.csv", Path("flag.csv")), ("variable.csv", Path("variable.csv")), ('"file.csv"', Path("file.csv"))),
    ),
    PLACE: (("flag.csv", "flag.csv"), ("variable.csv", "variable.csv"), ('"file.csv"', "file.csv")),
}


@pytest.fixture
def write(tmp_path):
    """Write a job file; relative paths start at its folder."""

    def write(text: str, name: str = "nightly.toml") -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return write


def _sources(option):
    if option.choices:
        one, two, three = (option.choices * 2)[:3]
        found = ((one, one), (two, two), (f'"{three}"', three))
    else:
        found = VALUES.get(option.kind, (("a", "a"), ("b", "b"), ('"c"', "c")))
    if option.repeatable and option.kind != RATE:
        return tuple(([said] if number == 0 else said, (value,)) for number, (said, value) in enumerate(found))
    return found


@pytest.mark.parametrize("name", [name for name in BY_NAME if name != "accounts"])
def test_flag_beats_environment_beats_job_file_beats_default(name, write):
    """For every option of a job file: the strongest that is said counts, and with nothing said the default."""
    option = BY_NAME[name]
    command = "run" if "run" in option.commands else min(option.commands)
    flag, variable, key = _sources(option)
    path = write(f"[job]\ninput = []\n{name} = {key[0]}\n")
    (path.parent / "file.csv").touch()
    in_file = key[1]
    if option.kind in {PATH, PLACE, STORE}:
        there = path.parent / "file.csv" if option.kind != PLACE else str(path.parent / "file.csv")
        in_file = (there,) if option.repeatable else there
    flags, environment = {name: flag[0]}, {option.variable: variable[0]}

    def settled(flags, environment, job):
        inputs = [] if job or command not in {"run", "check", "plan"} else ["hooks.csv"]
        return getattr(resolve(command, {**flags, **job}, environment, inputs), name)

    job = {"job": str(path)}
    assert settled(flags, environment, job) == flag[1]
    assert settled({}, environment, job) == variable[1]
    assert settled({}, {}, job) == in_file
    default = getattr(Job(), name)
    assert settled({}, {}, {}) == (("hooks.results.xlsx",) if name == "output" else default)


def test_flags_that_say_no_beat_the_job_file(write):
    """--no-strict takes back what the file says."""
    path = write("[job]\ninput = []\nstrict = true\n")
    assert resolve("run", {"job": str(path), "strict": False}, {}).strict is False


def test_an_option_said_again_replaces_all_of_the_weaker_values(write):
    """Values of a repeatable option are not added up over the sources."""
    path = write('[job]\ninput = []\nrate = ["60/min", "5000/day"]\n')
    assert resolve("run", {"job": str(path), "rate": ["10/min"]}, {}).rate == ("10/min",)


def test_nothing_said_is_not_a_value(write):
    """An empty variable and an empty list in a file lift no limit: the defaults hold."""
    path = write("[job]\ninput = []\nrate = []\noutput = []\n")
    assert resolve("run", {"job": str(path)}, {"BULKHOOKS_RATE": " \n", "BULKHOOKS_LIMIT": ""}) == Job(name="nightly")


def test_the_base_url_has_a_second_variable(write):
    """NEXUDUS_BASE_URL beats the file, and BULKHOOKS_BASE_URL beats both."""
    path = write('[job]\ninput = []\nbase_url = "https://file.example"\n')
    environment = {"NEXUDUS_BASE_URL": "https://nexudus.example"}
    assert resolve("run", {"job": str(path)}, environment).base_url == "https://nexudus.example"
    environment["BULKHOOKS_BASE_URL"] = "https://bulkhooks.example"
    assert resolve("run", {"job": str(path)}, environment).base_url == "https://bulkhooks.example"


def test_the_job_file_itself_may_be_a_variable(write):
    """BULKHOOKS_JOB names it."""
    path = write('[job]\nname = "named"\ninput = []\n')
    assert resolve("run", {}, {"BULKHOOKS_JOB": str(path)}).name == "named"


# Inputs


def test_globs_leave_out_results_and_lock_files(write):
    """A glob finds files in the order of their names, each once; no results, no lock files, no folders."""
    path = write('[job]\ninput = ["b.csv", "*.csv", "in*/**/*.xlsx"]\n')
    folder = path.parent
    (folder / "inbox/deep").mkdir(parents=True)
    (folder / "inbox/folder.xlsx").mkdir()
    for name in (
        "a.csv",
        "b.csv",
        "b.results.csv",
        "b.results.1.csv",
        "inbox/deep/z.xlsx",
        "inbox/~$z.xlsx",
        "x~$y.csv",
    ):
        (folder / name).touch()
    found = [str(Path(name).relative_to(folder)) for name in resolve("run", {"job": str(path)}, {}).inputs]
    assert found == ["b.csv", "a.csv", "x~$y.csv", "inbox/deep/z.xlsx"]


def test_a_folder_with_brackets_in_its_name_is_no_pattern(tmp_path):
    """Only what the file says is a pattern, not where it stands."""
    folder = tmp_path / "jobs [old]"
    folder.mkdir()
    (folder / "hooks.csv").touch()
    (folder / "job.toml").write_text('[job]\ninput = ["*.csv"]\n')
    assert resolve("run", {"job": str(folder / "job.toml")}, {}).inputs == (str(folder / "hooks.csv"),)


def test_a_path_that_looks_like_a_pattern_is_the_file_of_that_name(write):
    """hooks[1].csv is what browsers call a second download."""
    path = write('[job]\ninput = ["hooks[1].csv"]\n')
    (path.parent / "hooks[1].csv").touch()
    assert resolve("run", {"job": str(path)}, {}).inputs == (str(path.parent / "hooks[1].csv"),)


def test_globs_that_find_nothing_are_an_input_of_nothing(write):
    """There is an input, and it is empty; without the key at all something is missing."""
    assert resolve("run", {"job": str(write('[job]\ninput = ["inbox/*.csv"]\n'))}, {}).inputs == ()
    with pytest.raises(UsageError, match="name at least one input"):
        resolve("run", {"job": str(write("[job]\nstrict = true\n"))}, {})


def test_a_path_that_is_not_there_is_named_with_its_key_and_the_nearest(write):
    """A plain path has to exist; the sentence names the job file, the key and the file that was meant."""
    path = write('[job]\ninput = ["hoks.csv"]\n')
    (path.parent / "hooks.csv").touch()
    with pytest.raises(UsageError) as raised:
        resolve("run", {"job": str(path)}, {})
    assert str(raised.value) == (
        f"{path}: [job] input: there is no file {path.parent / 'hoks.csv'}; did you mean 'hooks.csv'?"
    )


@pytest.mark.parametrize("key", ["locations", "accounts"])
def test_other_files_to_read_have_to_exist_too(key, write):
    """Tables of locations and of accounts are looked for before anything is done."""
    path = write(f'[job]\ninput = []\n{key} = "missing.toml"\n')
    with pytest.raises(UsageError, match=re.escape(f"[job] {key}: there is no file {path.parent / 'missing.toml'}")):
        resolve("run", {"job": str(path)}, {})


def test_inputs_of_the_command_line_replace_those_of_the_file(write):
    """Then those of the file need not even exist."""
    path = write('[job]\ninput = ["missing.csv"]\n')
    assert resolve("run", {"job": str(path)}, {}, ["other.csv"]).inputs == ("other.csv",)


@pytest.mark.parametrize("command", ["undo", "health", "results", "runs", "template"])
def test_input_and_output_of_a_job_are_for_its_runs(command, write):
    """Other commands take the job's journal, and neither read its sheets nor write over its results."""
    path = write('[job]\ninput = ["missing.csv"]\noutput = "results.xlsx"\njournal = "journal.db"\n')
    flags = {"job": str(path), "run": "last"}
    job = resolve(command, flags, {})
    assert job.inputs == ()
    assert job.journal == path.parent / "journal.db"
    assert job.outputs == (("last.undo.xlsx",) if command == "undo" else ())


def test_a_plan_does_not_write_over_the_results_of_a_run(write):
    """``plan`` writes where its own -o says, or nowhere."""
    path = write('[job]\ninput = []\noutput = "results.xlsx"\n')
    assert resolve("plan", {"job": str(path)}, {}).outputs == ()
    assert resolve("plan", {"job": str(path), "output": ["plan.xlsx"]}, {}).outputs == ("plan.xlsx",)


# Outputs


@pytest.mark.parametrize("inputs", [["-"], ["hooks.csv", "-"]])
def test_stdin_needs_a_place_for_the_results(inputs):
    """With - among the inputs, -o has to be given."""
    with pytest.raises(UsageError, match="-o"):
        resolve("run", {}, {}, inputs)
    assert resolve("run", {"output": ["out.csv"]}, {}, inputs).outputs == ("out.csv",)


def test_stdin_may_stand_in_a_job_file(write):
    """- is stdin there too, not a file of that name."""
    path = write('[job]\ninput = ["-"]\noutput = "out.csv"\n')
    assert resolve("run", {"job": str(path)}, {}).inputs == ("-",)


def test_results_stand_beside_the_first_input():
    """Without -o: the first input's stem, in its folder, whatever is in its name."""
    assert resolve("run", {}, {}, ["in/{date}.csv", "other.xlsx"]).outputs == (str(Path("in/{date}.results.xlsx")),)
    assert resolve("undo", {}, {}, ["in/a.results.xlsx"]).outputs == (str(Path("in/a.results.undo.xlsx")),)


def test_words_in_an_output(write):
    """{date}, {time} and {job} are filled in; {input} is kept for each input's own results."""
    path = write('[job]\nname = "a/b"\ninput = []\noutput = ["out/{date}/{time}.csv", "{job}.{input}.xlsx"]\n')
    before = time.strftime("%Y-%m-%d")
    first, second = resolve("run", {"job": str(path)}, {}).outputs
    assert re.fullmatch(rf"(?:{before}|{time.strftime('%Y-%m-%d')})/\d{{6}}\.csv", first.partition("/out/")[2])
    assert second == str(path.parent / "a-b.{input}.xlsx")


@pytest.mark.parametrize(("command", "word"), [("run", "dat"), ("run", ""), ("health", "input")])
def test_an_unknown_word_in_an_output_is_named(command, word):
    """A typo must not become the name of a file that every night writes over."""
    with pytest.raises(UsageError, match=re.escape(f"{{{word}}} is none of {{date}}, {{time}}, {{job}}")):
        resolve(command, {"output": [f"x{{{word}}}.xlsx"]}, {}, ["a.csv"])


def test_check_names_an_unknown_word_in_the_output_of_a_job_file(write):
    """A run would end there; the words that it knows are taken."""
    for word in ("date", "time", "job", "input"):
        known = write(f'[job]\ninput = []\noutput = "x.{{{word}}}.xlsx"\n')
        assert resolve("check", {"job": str(known)}, {}).outputs == ()
    path = write('[job]\ninput = []\noutput = "x.{foo}.xlsx"\n')
    with pytest.raises(UsageError, match=re.escape("{foo} is none of {date}, {time}, {job}, {input}")) as error:
        resolve("check", {"job": str(path)}, {})
    assert str(error.value).startswith(f"{path}: [job] output ")


# Accounts, and whom to tell


def test_accounts_and_notify_of_a_file(write):
    """Their tables become settings; an accounts file adds to them, and wins where both name an account."""
    accounts = write('[accounts.acme]\ntoken_env = "OTHER"\n[accounts.b]\ntoken_env = "B"\n', "accounts.toml")
    path = write(
        '[job]\ninput = []\n[accounts.acme]\ntoken_env = "ACME"\n[accounts.c]\nusername_env = "U"\npassword_env = "P"\n'
        'rate = "30/min"\n[notify]\nurl_env = "HOOK"\non = "change"\nping_env = "PING"\n'
    )
    job = resolve("run", {"job": str(path), "accounts": str(accounts)}, {})
    assert job.accounts == {
        "acme": AccountSettings(token_env="OTHER"),
        "b": AccountSettings(token_env="B"),
        "c": AccountSettings(username_env="U", password_env="P", rate=("30/min",)),
    }
    assert job.notify == Notify("HOOK", "change", "PING")


WRONG = {
    "[jobs]\n": "there is no [jobs]; did you mean 'job'?",
    "job = 1\n": "job is not a table; write [job]",
    "[job]\nif_exist = 'skip'\n": "[job] has no key 'if_exist'; did you mean 'if_exists'?",
    "[job]\ngive-up-after = 3\n": "[job] has no key 'give-up-after'; did you mean 'give_up_after'?",
    "[job]\njob = 'x.toml'\n": "[job] has no key 'job'",
    "[job]\nname = 3\n": "[job] name: 3 is not a name",
    "[job]\ninput = 3\n": "[job] input: 3 is not a list of paths",
    "[job]\ninput = ['a', 3]\n": "[job] input: ['a', 3] is not a list of paths",
    "[job]\ninput = ['']\n": "[job] input: [''] is not a list of paths",
    '[job]\ninput = "a\\u0000b"\n': "[job] input: 'a\\x00b' is not a list of paths",
    '[job]\njournal = "a\\u0000b"\n': "[job] journal: 'a\\x00b' holds a character that no path and no name has",
    "[job]\nconcurrency = 'eight'\n": "[job] concurrency: 'eight' is text; write a whole number",
    "[job]\nconcurrency = '8'\n": "[job] concurrency: '8' is text; write a whole number",
    "[job]\nconcurrency = 0\n": "[job] concurrency: 0 is too small",
    "[job]\nconcurrency = true\n": "[job] concurrency: True is not a whole number",
    "[job]\nlimit = 2.5\n": "[job] limit: 2.5 is not a whole number",
    "[job]\ntimeout = [3]\n": "[job] timeout: [3] is not a number of seconds",
    "[job]\nstrict = 'yes'\n": "[job] strict: 'yes' is neither true nor false",
    "[job]\nstrict = 1\n": "[job] strict: 1 is neither true nor false",
    "[job]\nsheet = [1]\n": "[job] sheet: 1 is not text",
    "[job]\nrate = 60\n": "[job] rate: 60 is not text",
    "[job]\nrate = ['60/fortnight']\n": "[job] rate: '60/fortnight' is not a rate",
    "[job]\nif_exists = 'udpate'\n": "[job] if_exists: 'udpate' is none of skip, update, fail; did you mean 'update'?",
    "accounts = 1\n": "accounts stand in tables of their own",
    "[accounts]\nacme = 1\n": "[accounts.acme] is not a table",
    "[accounts.acme]\ntoken = 'hush'\n": "[accounts.acme] has no key 'token'; did you mean 'token_env'?",
    "[accounts.acme]\ntoken_env = 'hu-sh'\n": "[accounts.acme] token_env: this is not the name of a variable",
    "[accounts.acme]\nusername_env = 'U'\n": "[accounts.acme] has username_env, but no password_env",
    "[accounts.acme]\nrate = 'often'\n": "[accounts.acme] rate: 'often' is not a rate",
    "[accounts.acme]\nrate = [5]\n": "[accounts.acme] rate: [5] is not text",
    "notify = 'me'\n": "notify is not a table; write [notify]",
    "[notify]\nurl = 'https://hush.example/hush'\n": "[notify] has no key 'url'; did you mean 'url_env'?",
    "[notify]\nurl_env = 'https://hush.example'\n": "[notify] url_env: this is not the name of a variable",
    "[notify]\nping_env = 3\n": "[notify] ping_env: 3 is not text",
    "[notify]\non = 'failures'\n": "[notify] on: 'failures' is none of failure, always, change; did you mean",
}


@pytest.mark.parametrize("content", WRONG)
def test_what_is_wrong_in_a_job_file_is_named(content, write):
    """The error names the file, the key and the nearest; it never shows what may be a secret."""
    path = write(content)
    with pytest.raises(UsageError) as raised:
        resolve("run", {"job": str(path)}, {}, ["hooks.csv"])
    assert str(raised.value).startswith(f"{path}: {WRONG[content]}")
    assert "hush" not in str(raised.value)
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("content", WRONG)
def test_the_schema_refuses_what_the_program_refuses(content, write):
    """An editor with the schema marks the same mistakes, but for what no pattern tells: rates and odd characters."""
    if "is not a rate" in WRONG[content] or "x00" in WRONG[content]:
        return
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(read_toml(write(content)), job_schema())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"[job\n", "this is not TOML"), (b"name = '\xff'", "it is not UTF-8 text"), (None, "No such file or directory")],
)
def test_a_job_file_that_cannot_be_read(content, sentence, tmp_path):
    """Missing, no TOML, no text: one sentence with the file's name."""
    path = tmp_path / "job.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=re.escape(str(path))) as raised:
        read_job_file(path)
    assert sentence in str(raised.value)


# check --job

WITH_VARIABLES = """
[job]
input = []
base_url = "ftp://example.com"
[accounts.acme]
token_env = "ACME_TOKEN"
[accounts.both]
token_env = "BOTH_TOKEN"
username_env = "BOTH_USER"
password_env = "BOTH_PASSWORD"
[accounts.harbour]
username_env = "HARBOUR_USER"
password_env = "HARBOUR_PASSWORD"
base_url = "http://example.com"
[accounts.plain]
rate = "30/min"
[notify]
url_env = "SLACK_URL"
ping_env = "PING_URL"
"""


def test_check_names_every_variable_that_is_not_set(write):
    """All at once, each with its file, its key and the variable that was perhaps meant; the values are nowhere."""
    path = write(WITH_VARIABLES)
    environment = {"ACME_TOKENS": "hush", "BOTH_USER": "u", "HARBOUR_USER_FILE": "/f", "PING_URL": "https://hush"}
    with pytest.raises(UsageError) as raised:
        resolve("check", {"job": str(path)}, environment)
    assert (
        str(raised.value).split("; ", 1)[0] == f"{path}: [accounts.acme] token_env: the variable ACME_TOKEN is not set"
    )
    for part in (
        "did you mean 'ACME_TOKENS'?",
        "[accounts.both] password_env: the variable BOTH_PASSWORD",
        "[accounts.harbour] password_env: the variable HARBOUR_PASSWORD",
        "[notify] url_env: the variable SLACK_URL",
        "[job] base_url: --base-url 'ftp://example.com'",
        "[accounts.harbour] base_url: --base-url 'http://example.com'",
    ):
        assert part in str(raised.value)
    for part in ("hush", "HARBOUR_USER is", "PING_URL", "BOTH_TOKEN", "plain"):
        assert part not in str(raised.value)


def test_check_is_content_with_what_is_set(write):
    """A token is enough for an account, and a file is as good as a value."""
    path = write(WITH_VARIABLES.replace("ftp:", "https:").replace("http:", "https:"))
    names = ("BOTH_TOKEN", "HARBOUR_USER", "HARBOUR_PASSWORD_FILE", "ACME_TOKEN_FILE", "SLACK_URL", "PING_URL")
    assert resolve("check", {"job": str(path)}, dict.fromkeys(names, "x")).name == "nightly"


def test_a_run_starts_without_a_variable_of_one_of_its_accounts(write):
    """One account failing does not stop the others: that is for the run to say."""
    path = write(WITH_VARIABLES)
    assert resolve("run", {"job": str(path)}, {}).accounts.keys() == {"acme", "both", "harbour", "plain"}


# The schema


def test_the_schema_in_the_package_is_the_one_that_is_made():
    """After a change to the options: ``python -m bulkhooks.config.schema > bulkhooks/config/job.schema.json``."""
    packed = (resources.files("bulkhooks") / "config" / "job.schema.json").read_text("utf-8")
    assert packed == json.dumps(job_schema(), indent=2) + "\n"


def test_the_schema_is_one_and_knows_every_option():
    """It is a valid schema, and [job] has each option once beside name and input."""
    schema = job_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    keys = schema["properties"]["job"]["properties"].keys()
    assert keys == {*BY_NAME, "name", "input"}
    assert keys >= {option.name for option in of_command("run")} - {"job"}
    assert schema["properties"]["accounts"]["additionalProperties"]["properties"].keys() == set(
        AccountSettings.__dataclass_fields__
    )
    assert schema["properties"]["notify"]["properties"].keys() == set(Notify.__dataclass_fields__)
