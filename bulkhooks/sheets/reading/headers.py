"""Which column of a sheet means what: headers as people write them, and the row where they stand."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bulkhooks.errors import UsageError
from bulkhooks.sheets.reading.grid import HEAD, letter
from bulkhooks.sheets.reading.source import FIELDS
from bulkhooks.sheets.strings import folded
from bulkhooks.webhook import EARLIER, RESULT_COLUMNS

ALIASES: Mapping[str, Sequence[str]] = {
    "BusinessId": ("BusinessId", "Business", "LocationId", "SiteId"),
    "Location": ("Location", "Locations", "Site", "Space"),
    "Action": ("Action", "Actions", "Event", "Events", "Trigger"),
    "ActionId": ("ActionId",),
    "URL": ("URL", "WebhookURL", "Endpoint", "EndpointURL", "CallbackURL", "TargetURL"),
    "Name": ("Name", "WebhookName", "HookName"),
    "Description": ("Description",),
    "Active": ("Active", "Enabled", "IsActive"),
    "Account": ("Account", "Tenant", "AccountName"),
    "Replaces": ("Replaces", "Replace", "OldURL", "PreviousURL"),
}
"""Headers taken, by what they mean (bulkhooks/docs/reference.md, Input columns).

``Location`` is the BusinessId of a sheet that has no other, and ``ActionId`` its Action likewise.
"""


_KINDS = {folded(alias): kind for kind, aliases in ALIASES.items() for alias in aliases}
_RESULT_COLUMNS = {folded(name): name for name in RESULT_COLUMNS}
_KNOWN_RESULTS = frozenset(map(folded, ("Row", "Status", "WebhookId")))
_IN_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}")
_DECORATION = re.compile(r"[][(){}*:?]")
_CARRIED = re.compile(r"\(\s*input\s*\)", re.IGNORECASE)
"""What results put behind the name of a column of the input that is a column of theirs too."""


def is_decorated(header: str) -> bool:
    """Whether there are brackets, ``*``, ``:`` or ``?`` in it."""
    return _DECORATION.search(unicodedata.normalize("NFKC", header)) is not None


def plain(header: str) -> str:
    """``header`` folded, without what stands in brackets (``URL (required) *`` is ``url``); `` (input)`` stays."""
    text = unicodedata.normalize("NFKC", header)
    while not _CARRIED.search(text) and (less := _IN_BRACKETS.sub(" ", text)) != text:
        text = less
    return folded(text if text.strip() else header)


_DECORATED = 3


class Headers:
    """What headers mean: the aliases, and before them what ``--map`` says (their header to our field)."""

    def __init__(self, mapped: Mapping[str, str] | None = None) -> None:
        """Raises ``UsageError`` for a field that there is not."""
        self.mapped = {folded(theirs): _kind(theirs, ours) for theirs, ours in (mapped or {}).items()}
        self._theirs = {folded(theirs): theirs for theirs in mapped or {}}

    def kind(self, header: str) -> str:
        """What a header means, ``""`` where it is not known."""
        key = folded(header)
        return self.mapped.get(key) or _KINDS.get(key) or _KINDS.get(plain(header), "")

    def rank(self, header: str) -> int:
        """How surely ``header`` is what ``kind`` says, 0 the surest: as ``--map`` writes it, as ``--map`` means it, an
        alias, an alias with decoration."""
        if header.strip() in self._theirs.values():
            return 0
        if folded(header) in self.mapped:
            return 1
        return _DECORATED if is_decorated(header) else 2

    def find(self, rows: Sequence[Sequence[str]]) -> int | None:
        """Position of the header: the first row of the first 20 with two known columns, one of them URL or Action."""
        return next((position for position, row in enumerate(rows[:HEAD]) if self._known(row)), None)

    def score(self, rows: Sequence[Sequence[str]]) -> int:
        """How many fields the header among ``rows`` has, 0 where there is none."""
        position = self.find(rows)
        return 0 if position is None else self._known(rows[position])

    def _known(self, row: Sequence[str]) -> int:
        kinds = {kind.removesuffix("Id") if kind == "ActionId" else kind for kind in map(self.kind, row) if kind}
        return len(kinds) if len(kinds) > 1 and kinds & {"URL", "Action"} else 0

    def check_used(self, headers: Iterable[str]) -> None:
        """Raise ``UsageError`` where ``--map`` names a header that is not among those of the inputs."""
        seen = {folded(header): header for header in headers if header}
        for key, theirs in self._theirs.items():
            if key in seen:
                continue
            close = difflib.get_close_matches(key, seen, n=1, cutoff=0.5)
            nearest = f"; the nearest is {seen[close[0]]!r}" if close else ""
            there = ", ".join(seen.values()) or "none"
            raise UsageError(
                f"--map {theirs!r}: no header of the input says that{nearest} (headers there are: {there})"
            )

    def unused(self, layout: Layout) -> list[tuple[int, str]]:
        """Columns of ``layout`` that are carried along and look as if they meant a field, each with that field.

        They begin like a known header, speak of a switch or an account, or are a misspelt field that is missing.
        """
        found = []
        missing = set(FIELDS) - {"Location"} - layout.fields.keys()
        for at in sorted(layout.extras.values()):
            header = layout.headers[at]
            if not header or self.kind(header):
                continue
            near = nearest_field(header)
            if ours := _begun(header) or (near if near in missing else ""):
                found.append((at, ours))
        return found


def _kind(theirs: str, ours: str) -> str:
    kind = _KINDS.get(folded(ours))
    if kind is None:
        near = nearest_field(ours)
        raise UsageError(
            f'--map "{theirs}={ours}": there is no field {ours!r}'
            f"{f'; the nearest is {near}' if near else ''} (fields are: {', '.join(FIELDS)})"
        )
    return kind


def nearest_field(header: str) -> str:
    """The field whose header is closest to a misspelt one, or that it seems to speak of; ``""`` where there is none."""
    key = folded(header)
    if close := difflib.get_close_matches(key, _KINDS, n=1, cutoff=0.75):
        near = field_of(_KINDS[close[0]])
        # What nobody has to fill in is rarely meant: Amount is not Account.
        if near in _REQUIRED or difflib.get_close_matches(key, close, cutoff=0.85):
            return near
    if len(key) > _LONGEST:
        return ""
    return next((name for name, word in _WORDS if word in key), "")


def _begun(header: str) -> str:
    """The field whose header is how this one begins (``Active status``), or of Active and Account also how it ends."""
    key = folded(header)
    begun = max((alias for alias in _KINDS if key.startswith(alias)), key=len, default="")
    if not begun:
        begun = next((alias for alias in _SWITCHES if key.endswith(alias)), "")
    return field_of(_KINDS[begun]) if begun else ""


_SWITCHES = [key for key, kind in _KINDS.items() if kind in {"Active", "Account"}]
"""What is ignored without harm only if it is not meant: a webhook that is live, or that goes to another account."""
_REQUIRED = ("BusinessId", "Action", "URL")
_LONGEST = 30
"""Longer texts are titles, not headers."""
_WORDS = (
    ("URL", "url"),
    ("URL", "endpoint"),
    ("Action", "event"),
    ("Action", "action"),
    ("Action", "trigger"),
    ("BusinessId", "location"),
    ("BusinessId", "business"),
    ("BusinessId", "site"),
    ("URL", "hook"),
    ("URL", "address"),
    ("URL", "adress"),
)
"""What a header with this word in it may mean."""


def field_of(kind: str) -> str:
    """The field in whose place a kind of header may stand: ``ActionId`` is the Action."""
    return {"Location": "BusinessId", "ActionId": "Action"}.get(kind, kind)


@dataclass(slots=True)
class Layout:
    """The columns of one sheet, by position.

    ``fields``: those of ``FIELDS``. ``extras``: the others by the name under which they are carried. ``nameless``:
    those among them without a header, carried only if they hold anything. ``results``: Status, WebhookId, ErrorCode and
    ``EARLIER`` of a results file. ``doubles``: two headers of the same field, ``(position that counts, position that is
    carried)``; ``unclear``: such a pair of which neither is surer than the other.
    """

    headers: Sequence[str]
    fields: dict[str, int] = field(default_factory=dict)
    extras: dict[str, int] = field(default_factory=dict)
    nameless: set[int] = field(default_factory=set)
    results: dict[str, int] = field(default_factory=dict)
    doubles: list[tuple[int, int]] = field(default_factory=list)
    unclear: tuple[int, int] | None = None


def lay_out(row: Sequence[str], headers: Headers) -> Layout:
    """What the columns under this header are.

    The first header of a field counts, before it one without decoration, and before that one that ``--map`` names;
    Action counts before ActionId. In a results file the columns of the results count before those that were carried
    along, and are not carried again.
    """
    own = _result_columns(row)
    results = set(own.values())
    layout = Layout(row, results={name: own[name] for name in _READ_BACK if name in own})
    kinds = [_KINDS.get(folded(header), "") if at in results else headers.kind(header) for at, header in enumerate(row)]

    ranks = [(at not in results, headers.rank(header)) for at, header in enumerate(row)]
    for at in sorted((at for at, kind in enumerate(kinds) if kind), key=ranks.__getitem__):
        counts = layout.fields.setdefault(kinds[at], at)
        if counts != at and not results:
            layout.doubles.append((counts, at))
            if ranks[counts] == ranks[at] == (True, _DECORATED):
                layout.unclear = layout.unclear or (counts, at)
    _settle(layout.fields)
    replaces = layout.fields.get("Replaces")
    counted = {*layout.fields.values(), *results} - {replaces}
    for at, header in enumerate(row):
        if at in counted:
            continue
        if not header:
            layout.nameless.add(at)
        name = header or f"Column {letter(at)}"
        if at == replaces and not _KINDS.get(folded(header)):
            name = "Replaces"  # so that the results are understood without --map
        layout.extras[_carried(name, layout.extras)] = at
    return layout


_READ_BACK = ("Status", "WebhookId", "ErrorCode", *EARLIER)


def is_results(row: Sequence[str]) -> bool:
    """Whether this is the header of a results file: it has Row, Status and WebhookId."""
    return set(map(folded, row)) >= _KNOWN_RESULTS


def _result_columns(row: Sequence[str]) -> dict[str, int]:
    """Where the columns of the results are, by name, if this is the header of a results file."""
    if not is_results(row):
        return {}
    names = {at: _RESULT_COLUMNS.get(folded(header)) for at, header in reversed(list(enumerate(row)))}
    return {name: at for at, name in names.items() if name}


def _settle(fields: dict[str, int]) -> None:
    """Location and ActionId in the place of what a sheet does not have."""
    if "Location" in fields and "BusinessId" not in fields:
        fields["BusinessId"] = fields.pop("Location")
    numbers = fields.pop("ActionId", None)
    if numbers is not None:
        fields.setdefault("Action", numbers)


def _carried(header: str, taken: Iterable[str]) -> str:
    """The name under which a column is carried: not one of the results, and not a second time the same."""
    name = f"{header} (input)" if header in RESULT_COLUMNS else header
    unique, count = name, 1
    while unique in taken:
        count += 1
        unique = f"{name} ({count})"
    return unique
