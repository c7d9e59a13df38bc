"""Every long option once: its name, its kind, its help, and the commands that take it.

The command line, the environment (``BULKHOOKS_<OPTION>``) and job files are all read by this table; what is said there
is turned into a value by ``Option.value`` and nowhere else. Defaults are those of ``settings.Job``.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bulkhooks.errors import UsageError

FLAG, COUNT, TEXT, RATE, WHOLE, SECONDS, PATH = "flag", "count", "text", "rate", "whole number", "seconds", "path"
"""Kinds. A count is a flag that may be given several times, and elsewhere a whole number."""


_A = {
    COUNT: "a whole number",
    TEXT: "text",
    RATE: "a rate such as '60/min'",
    WHOLE: "a whole number",
    SECONDS: "a number of seconds",
    PATH: "a path",
}
_YES = frozenset({"1", "true", "yes", "y", "on"})
_NO = frozenset({"0", "false", "no", "n", "off", ""})


@dataclass(frozen=True, slots=True)
class Option:
    """One long option. ``commands`` are those that take it, ``repeatable`` ones hold a tuple of values."""

    name: str
    kind: str
    commands: frozenset[str]
    help: str
    metavar: str = ""
    repeatable: bool = False
    choices: tuple[str, ...] = ()
    short: str = ""
    least: float = 0

    @property
    def flag(self) -> str:
        """``--give-up-after``."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """``BULKHOOKS_GIVE_UP_AFTER``."""
        return "BULKHOOKS_" + self.name.upper()

    def value(self, said: object, where: str, base: Path | None = None) -> object:
        """What was said, as a value of the option's kind; a list where it may be repeated.

        ``said`` is text; with ``base``, a value of a job file, whose relative paths start there and whose numbers are
        numbers. ``where`` names the flag, the variable or the key in errors. Raises ``UsageError``.
        """
        if not self.repeatable:
            return self._one(said, where, base)
        several = said if isinstance(said, Sequence) and not isinstance(said, str) else [said]
        return tuple(self._one(item, where, base) for item in several)

    def _one(self, said: object, where: str, base: Path | None) -> object:
        if base is not None:
            self._check_kind(said, where)
        if self.kind == FLAG:
            return self._truth(said, where)
        if isinstance(said, bool | dict | list) or said is None:
            raise UsageError(f"{where}: {said!r} is not {_A[self.kind]}")
        if self.kind in {COUNT, WHOLE, SECONDS}:
            return self._number(said, where)
        if not isinstance(said, str):
            raise UsageError(f"{where}: {said!r} is not text; put it in quotation marks")
        if "\0" in said:
            raise UsageError(f"{where}: {said!r} holds a character that no path and no name has")
        if self.kind == RATE:
            return checked_rate(said, where)
        if self.choices and said not in self.choices:
            raise UsageError(
                f"{where}: {said!r} is none of {', '.join(self.choices)}{did_you_mean(said, self.choices)}"
            )
        if self.kind == PATH and said not in {"", "live", "-"}:
            return str((base or Path()) / at_home(said))
        return said

    def _check_kind(self, said: object, where: str) -> None:
        """A job file tells text from numbers and truths, and so does whoever reads it."""
        if self.kind == FLAG and not isinstance(said, bool):
            raise UsageError(f"{where}: {said!r} is neither true nor false; write one of them, without quotation marks")
        if self.kind in {COUNT, WHOLE, SECONDS} and isinstance(said, str):
            raise UsageError(f"{where}: {said!r} is text; write {_A[self.kind]}, without quotation marks")

    def _truth(self, said: object, where: str) -> bool:
        if isinstance(said, bool):
            return said
        word = str(said).strip().lower()
        if word not in _YES | _NO:
            raise UsageError(f"{where}: {said!r} is neither yes nor no; write true or false")
        return word in _YES

    def _number(self, said: object, where: str) -> float | int:
        try:
            number = float(str(said).strip())
        except ValueError:
            number = math.nan
        is_whole = self.kind != SECONDS
        if not math.isfinite(number) or (is_whole and not number.is_integer()):
            raise UsageError(f"{where}: {said!r} is not {_A[self.kind]}")
        if number < self.least:
            raise UsageError(f"{where}: {said!r} is too small; the least is {self.least:g}")
        return int(number) if is_whole else number


def did_you_mean(word: str, known: Iterable[str], cutoff: float = 0.5) -> str:
    """``; did you mean 'skip'?``, or nothing where none is near (from 0, anything, to 1, the same)."""
    as_written = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), list(as_written), n=1, cutoff=cutoff)
    return f"; did you mean {as_written[close[0]]!r}?" if close else ""


def at_home(path: str) -> Path:
    """A path with ``~`` as the home of its user; as it is where there is no such user (``~$hooks.xlsx``)."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def checked_rate(text: str, where: str) -> str:
    """A rate as it is written, if it is one. Raises ``UsageError`` with ``where`` before its sentence."""
    from bulkhooks.provision.limiter import parse_rates

    try:
        parse_rates([text])
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None
    return text


def _on(words: str) -> frozenset[str]:
    return frozenset(words.split())


_READS = _on("run check plan")
_LOCATES = _READS | {"template"}
_DECIDES = _on("run plan")
_SENDS = _on("run plan undo health check template")
_ASKS = _on("run undo health")
_WRITES = _on("run plan undo health results")
_SPEAKS = _on("run check plan undo health results runs template")

OPTIONS: tuple[Option, ...] = (
    # Reading
    Option("sheet", TEXT, _READS, "Read only this sheet.", "NAME", repeatable=True),
    Option("map", TEXT, _READS, "A header that is not among the aliases.", '"THEIR COLUMN=FIELD"', repeatable=True),
    Option("locations", PATH, _LOCATES, "The table of locations: a file, or 'live' to ask the API.", "FILE|live"),
    Option("name_template", TEXT, _READS, "The name of rows without one.", "TEXT"),
    # Deciding
    Option(
        "if_exists",
        TEXT,
        _DECIDES,
        "What to do with a webhook that the server already has.",
        "skip|update|fail",
        choices=("skip", "update", "fail"),
    ),
    Option("prune", FLAG, _DECIDES, "Delete what this tool once created and the input no longer names."),
    Option("max_deletes", WHOLE, _DECIDES, "With --prune: more deletions than this, and nothing is sent.", "N"),
    Option("strict", FLAG, _DECIDES, "Any invalid row: send nothing."),
    Option("limit", WHOLE, _DECIDES, "At most N writes in this run.", "N"),
    Option("canary", WHOLE, _DECIDES, "Send N first; go on only if all of them succeed.", "N"),
    Option("resend_unknown", FLAG, _DECIDES, "Send again what is unknown."),
    Option("expect_no_changes", FLAG, _on("plan"), "Exit 1 if anything would change."),
    Option("confirm_above", WHOLE, _on("run"), "On a terminal ask before more than N writes.", "N"),
    Option("yes", FLAG, _ASKS, "Do not ask.", short="-y"),
    # The API
    Option("rate", RATE, _SENDS, "Limit on writes; 'none' lifts it.", "N/PERIOD", repeatable=True),
    Option("request_rate", RATE, _SENDS, "Limit on all requests; 'none' lifts it.", "N/PERIOD", repeatable=True),
    Option("concurrency", WHOLE, _SENDS, "Requests in flight.", "N", least=1),
    Option("timeout", SECONDS, _SENDS, "Of one request.", "SECONDS", least=0.001),
    Option("retries", WHOLE, _SENDS, "Attempts beyond the first, for what is safe to send again.", "N"),
    Option("give_up_after", SECONDS, _SENDS, "The API answers nothing useful for so long: stop.", "SECONDS"),
    Option("settle", SECONDS, _SENDS, "Wait before an in-doubt webhook is looked up.", "SECONDS"),
    Option("wait", FLAG, _on("run undo health"), "Sleep until the next slot, however far away it is."),
    Option("max_runtime", SECONDS, _on("run undo health"), "Start no new request after that.", "SECONDS"),
    Option("wait_lock", SECONDS, _on("run undo"), "Wait so long for another run of the account to end.", "SECONDS"),
    Option("journal", PATH, _SENDS | {"results", "runs"}, "The job's memory.", "PATH"),
    Option("base_url", TEXT, _SENDS, "Where the API is; also NEXUDUS_BASE_URL.", "URL"),
    Option("account", TEXT, _SENDS, "The credentials for rows that name none.", "NAME"),
    Option("accounts", PATH, _SENDS, "A TOML file of accounts.", "FILE"),
    Option("auth", TEXT, _SENDS, "How to sign in.", "bearer|basic", choices=("bearer", "basic")),
    Option("allow_http", FLAG, _SENDS, "Send credentials over plain http."),
    Option("sandbox", FLAG, _SENDS, "Send to an embedded sandbox; no credentials, a journal of its own."),
    Option("live", FLAG, _on("check"), "Also try the credentials, the locations and the permission to list."),
    Option("probe", FLAG, _on("check"), "Also connect to each distinct URL."),
    Option("reactivate", FLAG, _on("health"), "Switch on what failures have switched off."),
    Option("since", TEXT, _on("health"), "Only webhooks that fired at or after this time (ISO 8601).", "TIME"),
    Option(
        "only",
        TEXT,
        _on("health"),
        "Only webhooks in this state.",
        "STATE",
        repeatable=True,
        choices=("healthy", "failing", "disabled", "paused", "never-fired"),
    ),
    Option("run", TEXT, _on("undo results"), "The run, by its id; 'last' is the newest.", "RUN_ID"),
    # What is said and written
    Option("output", PATH, _WRITES, "Results, by suffix: .xlsx, .csv or .jsonl.", "PATH", repeatable=True, short="-o"),
    Option("write_back", FLAG, _on("run"), "Also put the result sheets into a copy of the input workbook."),
    Option("json", FLAG, _SPEAKS | {"actions"}, "The summary as one JSON object on stdout."),
    Option("log_format", TEXT, _SPEAKS, "How logs are written.", "text|json", choices=("text", "json")),
    Option("log_file", PATH, _SPEAKS, "Logs go there instead of stderr.", "PATH"),
    Option("verbose", COUNT, _SPEAKS | {"actions"}, "Tell of every row.", short="-v"),
    Option("quiet", FLAG, _SPEAKS | {"actions"}, "Say nothing but errors.", short="-q"),
    Option("metrics_file", PATH, _on("run"), "Figures for Prometheus' textfile collector.", "PATH"),
    Option("no_progress", FLAG, _SENDS, "No progress bar."),
    Option("job", PATH, _SPEAKS, "Read options and inputs from a job file.", "FILE"),
)
"""In the order of the help."""


_SANDBOX = frozenset({"sandbox"})

SANDBOX_OPTIONS: tuple[Option, ...] = (
    Option("port", WHOLE, _SANDBOX, "On loopback; 0 finds a free one. Default: 8899.", "PORT"),
    Option("host", TEXT, _SANDBOX, "A loopback address.", "ADDRESS"),
    Option("locations", TEXT, _SANDBOX, "Ids and ranges. Default: 1001-1040.", "IDS"),
    Option("rate", TEXT, _SANDBOX, "Limit on writes to enforce; default: none.", "N/PERIOD", repeatable=True),
    Option("request_rate", TEXT, _SANDBOX, "Limit on all requests to enforce.", "N/PERIOD", repeatable=True),
    Option("latency", TEXT, _SANDBOX, "Seconds, 20ms, or a range: 10-160ms.", "TIME"),
    Option(
        "fault",
        TEXT,
        _SANDBOX,
        "error-500, drop-before, drop-after or slow, and how often: drop-after=0.1.",
        "KIND=PROBABILITY",
        repeatable=True,
    ),
    Option("seed", WHOLE, _SANDBOX, "Makes faults and latency the same every time.", "N"),
    Option("role", TEXT, _SANDBOX, "What the user may do.", "full|create-only", choices=("full", "create-only")),
    Option("token_lifetime", SECONDS, _SANDBOX, "Of tokens from /api/token.", "SECONDS"),
    Option("state", PATH, _SANDBOX, "Keep the webhooks there.", "FILE"),
    Option("ids_from", WHOLE, _SANDBOX, "The first id.", "N", least=1),
    Option("secret", TEXT, _SANDBOX, "Signs deliveries.", "TEXT"),
    Option("retry_delays", TEXT, _SANDBOX, "Before each further try of a delivery. Default: 1,5,30.", "SECONDS,…"),
)
"""Those of ``bulkhooks sandbox``, which has no job file."""


def of_command(command: str) -> list[Option]:
    """The options of a command."""
    return [option for option in (*OPTIONS, *SANDBOX_OPTIONS) if command in option.commands]


BY_NAME = {option.name: option for option in OPTIONS if option.name != "job"}
"""Those that may stand in a job file."""
