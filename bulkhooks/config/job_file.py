"""Job files as values of their options' kinds; every error names the file and the key (bulkhooks/docs/reference.md)."""

from __future__ import annotations

import glob
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from bulkhooks.config.accounts import AccountSettings, accounts_from, check_variable, read_toml
from bulkhooks.config.job import Job, Notify
from bulkhooks.config.names import is_ours
from bulkhooks.config.option import Option, at_home, did_you_mean
from bulkhooks.config.options import BY_NAME
from bulkhooks.errors import UsageError

TABLES = ("job", "accounts", "notify")
NOTIFY_ON = ("failure", "always", "change")

_READ_BY_A_RUN = ("locations", "accounts")


@dataclass(frozen=True, slots=True)
class JobFile:
    """A job file as it stands, its values already of their kinds. ``input`` is None where it names none."""

    path: Path
    name: str
    input: tuple[str, ...] | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    accounts: Mapping[str, AccountSettings] = field(default_factory=dict)
    notify: Notify | None = None

    def place(self, key: str) -> str:
        """``nightly.toml: [job] rate``, as errors name it."""
        return f"{self.path}: [job] {key}"

    def inputs(self) -> tuple[str, ...]:
        """The files to read. Raises ``UsageError`` where one that is named by its path is not there."""
        for name in self.input or ():
            if name != "-" and not Path(name).exists():
                raise UsageError(f"{self.place('input')}: there is no file {name}{_near(Path(name), self.path)}")
        return self.input or ()

    def options(self, names: frozenset[str], overridden: Mapping[str, object]) -> dict[str, object]:
        """Its values for the options of those names, without those that are overridden.

        Raises ``UsageError`` where a file to read is not there.
        """
        values = {name: value for name, value in self.values.items() if name in names and name not in overridden}
        for name in _READ_BY_A_RUN:
            path = str(values.get(name) or "live")
            if path != "live" and not Path(path).exists():
                raise UsageError(f"{self.place(name)}: there is no file {path}{_near(Path(path), self.path)}")
        return values


def read_job_file(path: Path) -> JobFile:
    """A job file. Raises ``UsageError`` naming the file and the key."""
    content = read_toml(path)
    for key in content:
        if key not in TABLES:
            raise UsageError(
                f"{path}: there is no [{key}]{did_you_mean(key, TABLES)}; it has [job], [accounts.*], [notify]"
            )
    table = _table(content, "job", path)
    name = table.pop("name", path.stem)
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise UsageError(f"{path}: [job] name: {name!r} is not a name; write text on one line")
    patterns = table.pop("input", None)
    values = {key: _option(key, path).value(value, f"{path}: [job] {key}", path.parent) for key, value in table.items()}
    return JobFile(
        path,
        name.strip(),
        None if patterns is None else _found(patterns, path),
        # An empty list says as little as no list; it must not lift a limit.
        {key: value for key, value in values.items() if value != ()},
        accounts_from(content.get("accounts", {}), str(path)),
        _notify(_table(content, "notify", path), path) if "notify" in content else None,
    )


def rehearse(file: JobFile, job: Job, environment: Mapping[str, str]) -> None:
    """Find what would only show when a job runs: variables that are not set, addresses that are none.

    Raises ``UsageError`` with everything that it finds.
    """
    from bulkhooks.nexudus.address import check_base_url

    found = []
    if not job.sandbox:
        for name, account in file.accounts.items():
            found += _missing(f"{file.path}: [accounts.{name}]", account, environment)
    notify = file.notify or Notify()
    for key in ("url_env", "ping_env", "apprise_env"):
        variable = getattr(notify, key)
        if variable and not environment.get(variable, "").strip():
            found.append(f"{file.path}: [notify] {key}: {_not_set(variable, environment)}")
    addresses = {file.place("base_url"): job.base_url} if "base_url" in file.values else {}
    addresses |= {
        f"{file.path}: [accounts.{name}] base_url": account.base_url
        for name, account in file.accounts.items()
        if account.base_url
    }
    for place, address in addresses.items():
        try:
            check_base_url(address, allow_http=job.allow_http)
        except UsageError as error:
            found.append(f"{place}: {error}")
    if found:
        raise UsageError("; ".join(found))


def _missing(place: str, account: AccountSettings, environment: Mapping[str, str]) -> list[str]:
    """The account's variables that are not set; none where a token is, for that is enough."""

    def unset(key: str) -> bool:
        variable = getattr(account, key)
        return bool(variable) and not (environment.get(variable) or environment.get(f"{variable}_FILE"))

    if account.token_env and not unset("token_env"):
        return []
    if account.username_env and account.password_env:
        keys = [key for key in ("username_env", "password_env") if unset(key)]
    else:
        keys = ["token_env"] if account.token_env else []
    return [f"{place} {key}: {_not_set(getattr(account, key), environment)}" for key in keys]


def _not_set(variable: str, environment: Mapping[str, str]) -> str:
    return f"the variable {variable} is not set{did_you_mean(variable, environment, cutoff=0.8)}"


def _near(path: Path, job: Path) -> str:
    try:
        return did_you_mean(path.name, [other.name for other in path.parent.iterdir() if other.name != job.name])
    except OSError:
        return ""


def _table(content: Mapping[str, Any], name: str, path: Path) -> dict[str, Any]:
    table = content.get(name, {})
    if not isinstance(table, dict):
        raise UsageError(f"{path}: {name} is not a table; write [{name}]")
    return dict(table)


def _option(key: str, path: Path) -> Option:
    known = [*BY_NAME, "name", "input"]
    if key not in BY_NAME:
        raise UsageError(f"{path}: [job] has no key {key!r}{did_you_mean(key, known)}")
    return BY_NAME[key]


def _is_path(pattern: object) -> bool:
    return isinstance(pattern, str) and pattern != "" and "\0" not in pattern


def _found(patterns: object, path: Path) -> tuple[str, ...]:
    """The files that paths and globs name, each once, globs in the order of their names."""
    several = [patterns] if isinstance(patterns, str) else patterns
    if not isinstance(several, list) or not all(map(_is_path, several)):
        raise UsageError(f"{path}: [job] input: {patterns!r} is not a list of paths")
    found: dict[str, None] = {}
    for written in several:
        pattern = str(at_home(written))
        whole = path.parent / pattern
        if written == "-":
            found["-"] = None
        elif not glob.has_magic(pattern) or whole.exists():
            found[str(whole)] = None
        else:
            # The folder's own name may hold brackets, which are no pattern.
            for name in sorted(glob.glob(pattern, root_dir=path.parent, recursive=True)):  # noqa: PTH207
                whole = path.parent / name
                if not is_ours(whole.name) and whole.is_file():
                    found[str(whole)] = None
    return tuple(found)


def _notify(table: dict[str, Any], path: Path) -> Notify:
    known = {known.name for known in fields(Notify)}
    for key, value in table.items():
        place = f"{path}: [notify] {key}"
        if key not in known:
            raise UsageError(f"{path}: [notify] has no key {key!r}{did_you_mean(key, known)}")
        if key == "attach":
            if not isinstance(value, bool):
                raise UsageError(f"{place}: {value!r} is neither true nor false")
            continue
        if not isinstance(value, str):
            raise UsageError(f"{place}: {value!r} is not text; put it in quotation marks")
        if key.endswith("_env"):
            check_variable(value, place)
        elif value not in NOTIFY_ON:
            raise UsageError(f"{place}: {value!r} is none of {', '.join(NOTIFY_ON)}{did_you_mean(value, NOTIFY_ON)}")
    return Notify(**table)
