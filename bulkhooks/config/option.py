"""One option: what may be written for it, and the value that this becomes."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bulkhooks.errors import UsageError
from bulkhooks.provision.shard import Shard, read_shard


class Kind(StrEnum):
    """The type of an option's values, in the words of an error message.

    ``FLAG`` is a bool. ``COUNT`` is an int: a flag that may be given several times, elsewhere a whole number. ``WHOLE``
    is an int, ``SECONDS`` a float, ``PERIOD`` a float of seconds that is written as ``90d``, ``RATE`` text such as
    ``60/min``, ``SHARD`` a ``Shard`` that is written ``I/N``, ``PATH`` a ``Path``, ``STORE`` a ``Path`` or the address
    of a database as text. ``PLACE`` is text: a path, or a word or ``{placeholder}`` that has a meaning of its own
    there.
    """

    FLAG = "true or false"
    COUNT = "a count"
    TEXT = "text"
    RATE = "a rate such as '60/min'"
    WHOLE = "a whole number"
    SECONDS = "a number of seconds"
    PERIOD = "a period such as 90d"
    PATH = "a path"
    PLACE = "a path or a word"
    STORE = "a path or postgresql://…"
    SHARD = "a shard such as 0/16"


FLAG, COUNT, TEXT, RATE, WHOLE, SECONDS, PERIOD, PATH, PLACE, STORE, SHARD = Kind
NUMBERS = frozenset({COUNT, WHOLE, SECONDS})

_YES = frozenset({"1", "true", "yes", "y", "on"})
_NO = frozenset({"0", "false", "no", "n", "off", ""})
_NO_PATHS = frozenset({"", "live", "-"})


@dataclass(frozen=True, slots=True)
class Option:
    """One long option.

    ``group`` is its section in the help, ``commands`` are those that take it. A ``repeatable`` one has a tuple of
    values. ``default`` is None where the kind's own default holds (``initial``); ``otherwise`` says in words what
    happens without the option, where no value does. ``least`` is the smallest number allowed.
    """

    name: str
    kind: Kind
    group: str
    commands: frozenset[str]
    help: str
    metavar: str = ""
    default: object = None
    otherwise: str = ""
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

    @property
    def initial(self) -> object:
        """The value where nothing is given: the default, else False, 0, no value in a tuple, or None."""
        if self.default is not None:
            return self.default
        if self.repeatable:
            return ()
        return {FLAG: False, COUNT: 0}.get(self.kind)

    @property
    def shown_default(self) -> str:
        """The default as the help shows it; empty for flags, which are off."""
        if self.otherwise or self.kind in {FLAG, COUNT}:
            return self.otherwise
        several = self.initial if isinstance(self.initial, tuple) else (self.initial,)
        return ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in several) or "none"

    def value(self, given: object, where: str, base: Path | None = None) -> object:
        """What was given, as a value of the option's kind; a tuple where the option is repeatable.

        ``given`` is text or already a value; with ``base`` it comes from a job file, whose relative paths start there
        and whose numbers are numbers. ``where`` names the flag, the variable or the key in errors. Raises
        ``UsageError``.
        """
        if not self.repeatable:
            return self._one(given, where, base)
        several = given if isinstance(given, Sequence) and not isinstance(given, str) else [given]
        return tuple(self._one(item, where, base) for item in several)

    def _one(self, given: object, where: str, base: Path | None) -> object:
        if base is not None:
            self._check_type(given, where)
        if self.kind == FLAG:
            return _truth(given, where)
        if isinstance(given, bool | dict | list) or given is None:
            raise UsageError(f"{where}: {given!r} is not {self._expected}")
        if self.kind in NUMBERS or (self.kind == PERIOD and base is None and not isinstance(given, str)):
            return self._number(given, where)
        return self._text(str(given) if isinstance(given, Path | Shard) else given, where, base)

    def _text(self, given: object, where: str, base: Path | None) -> str | float | Path | Shard | None:
        if not isinstance(given, str):
            raise UsageError(f"{where}: {given!r} is not text; put it in quotation marks")
        if "\0" in given:
            raise UsageError(f"{where}: {given!r} holds a character that no path and no name has")
        if self.kind in _READERS:
            return _READERS[self.kind](given, where)
        if self.choices and given not in self.choices:
            raise UsageError(
                f"{where}: {given!r} is none of {', '.join(self.choices)}{did_you_mean(given, self.choices)}"
            )
        if self.kind == STORE and (address := database_address(given, where)):
            return address
        if self.kind in {PATH, STORE}:
            return (base or Path()) / at_home(given) if given else None
        if self.kind == PLACE and given not in _NO_PATHS:
            return str((base or Path()) / at_home(given))
        return given

    def _check_type(self, given: object, where: str) -> None:
        """A job file tells text from numbers and truths, and so does whoever reads it."""
        if self.kind == FLAG and not isinstance(given, bool):
            raise UsageError(
                f"{where}: {given!r} is neither true nor false; write one of them, without quotation marks"
            )
        if self.kind in NUMBERS and isinstance(given, str):
            raise UsageError(f"{where}: {given!r} is text; write {self._expected}, without quotation marks")

    @property
    def _expected(self) -> str:
        return WHOLE if self.kind == COUNT else self.kind

    def _number(self, given: object, where: str) -> float | int:
        try:
            number = float(str(given).strip())
        except ValueError:
            number = math.nan
        is_whole = self.kind not in {SECONDS, PERIOD}
        if not math.isfinite(number) or (is_whole and not number.is_integer()):
            raise UsageError(f"{where}: {given!r} is not {self._expected}")
        if number < self.least:
            raise UsageError(f"{where}: {given!r} is too small; the least is {self.least:g}")
        return int(number) if is_whole else number


def _truth(given: object, where: str) -> bool:
    if isinstance(given, bool):
        return given
    word = str(given).strip().lower()
    if word not in _YES | _NO:
        raise UsageError(f"{where}: {given!r} is neither yes nor no; write true or false")
    return word in _YES


def did_you_mean(word: str, known: Iterable[str], cutoff: float = 0.5) -> str:
    """``; did you mean 'skip'?``, or nothing where none is near (from 0, anything, to 1, the same)."""
    as_written = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), list(as_written), n=1, cutoff=cutoff)
    return f"; did you mean {as_written[close[0]]!r}?" if close else ""


def database_address(text: str, where: str) -> str | None:
    """The address of a database, as it is written; None where it is a path.

    Raises ``UsageError`` where a password stands in it: an address is seen in lists of processes, logs and job files.
    """
    scheme, found, rest = text.partition("://")
    if not found or scheme.casefold() not in {"postgresql", "postgres"}:
        return None
    authority, _, query = rest.partition("?")
    user, at, _ = authority.rpartition("@")
    names = {name.partition("=")[0] for name in query.split("&")}
    if (at and ":" in user) or names & {"password", "sslpassword"}:
        raise UsageError(
            f"{where}: a password stands in the address; leave it out, and put it into the file that PGPASSFILE names"
            " (~/.pgpass), or name a service with PGSERVICE"
        )
    return f"postgresql://{rest}"


def at_home(path: str) -> Path:
    """A path with ``~`` as the home of its user; as it is where there is no such user (``~$hooks.xlsx``)."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def checked_rate(text: str, where: str) -> str:
    """A rate as it is written, if it is one. Raises ``UsageError`` with ``where`` before its sentence."""
    from bulkhooks.provision.limits.rates import parse_rates  # with the engine behind it, too much to load for --help

    try:
        parse_rates([text])
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None
    return text


_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PERIOD = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|min|h|d|w)\s*", re.IGNORECASE)


def seconds_of(text: str, where: str) -> float:
    """A period as seconds: ``90d``, ``36h``, ``2w``. Raises ``UsageError`` with ``where`` before its sentence."""
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise UsageError(f"{where}: {text!r} is not {PERIOD}; write a number and one of {', '.join(_UNITS)}")
    return float(found[1]) * _UNITS[found[2].lower()]


def shard_of(text: str, where: str) -> Shard:
    """A shard as it is written: ``3/16``. Raises ``UsageError`` with ``where`` before its sentence."""
    try:
        return read_shard(text)
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from None


_READERS: Mapping[Kind, Callable[[str, str], str | float | Shard]] = {
    RATE: checked_rate,
    PERIOD: seconds_of,
    SHARD: shard_of,
}
"""What turns text into a value, for kinds whose values have a form of their own."""
