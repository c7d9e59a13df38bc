"""What every word of a result means for the person who reads it, and what they can do next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

from bulkhooks.errors import ErrorCode, WarningCode
from bulkhooks.report import REHEARSAL, Summary


class StatusGuide(NamedTuple):
    """One value of ``Status`` or ``Health``: which colours it has, what it means, what to do (empty: nothing)."""

    look: str
    meaning: str
    advice: str = ""


VERDICTS: Mapping[str, StatusGuide] = {
    "created": StatusGuide("done", "made in this run; WebhookId is its id"),
    "updated": StatusGuide("done", "changed in this run; Changes says how"),
    "deleted": StatusGuide("done", "removed from the server in this run"),
    "restored": StatusGuide("done", "has its old fields back; Changes says which"),
    "healthy": StatusGuide("done", "active, and its last deliveries arrived"),
    "exists": StatusGuide("same", "was on the server before this run, just as the sheet wants it"),
    "duplicate": StatusGuide("same", "the same as an earlier row, which Error names; not sent twice"),
    "missing": StatusGuide("same", "is not on the server any more; nothing was left to remove"),
    "never fired": StatusGuide("same", "active, and no event has set it off so far"),
    "paused": StatusGuide("same", "switched off by someone, without any failed delivery"),
    "pending": StatusGuide("waiting", "not sent so far", "run the same command again; it goes on where it stopped"),
    "planned": StatusGuide("waiting", "a run would send this", "`bulkhooks run` sends it"),
    "unknown": StatusGuide(
        "doubt",
        "sent, but no answer came and it could not be looked up: it may exist",
        "look it up in Nexudus; if it is not there, run again with --resend-unknown",
    ),
    "changed": StatusGuide(
        "doubt",
        "someone has changed it since this tool made or changed it, so it was left alone",
        "Error says what is different; correct it in Nexudus, or delete it there if it is to go",
    ),
    "failing": StatusGuide(
        "doubt",
        "active, but its deliveries are turned away; after 10 failures in a row it is switched off",
        "see LastError, and fix the receiving end",
    ),
    "invalid": StatusGuide(
        "wrong",
        "something in the row is wrong, so nothing was sent",
        "correct the row as Error says, and run this file",
    ),
    "failed": StatusGuide("wrong", "the server did not accept it", "correct the row as Error says, and run this file"),
    "disabled": StatusGuide(
        "wrong",
        "switched off after too many failed deliveries: its events are lost",
        "fix the receiving end, then `bulkhooks health --reactivate`",
    ),
}
"""Every verdict, in the order in which they are shown."""

FLAWS = frozenset(verdict for verdict, (look, _, _) in VERDICTS.items() if look in {"doubt", "wrong"})
"""Verdicts that somebody has to look at."""

_OF_UNDO = frozenset({"deleted", "restored", "changed", "missing", "failed", "unknown", "pending"})
"""Verdicts of an undo, where there is nothing to correct in a row."""

_CODES = {
    ErrorCode.MISSING_VALUE: "Fill in the empty cell.",
    ErrorCode.BAD_BUSINESS_ID: (
        "Write ids (1001), lists (1001, 1002) or ranges (1001-1010), or names of the sheet Locations."
    ),
    ErrorCode.UNKNOWN_LOCATION: "Correct the name, or add the location to the sheet Locations.",
    ErrorCode.UNKNOWN_ACTION: "Pick the event from the list that `bulkhooks actions` prints.",
    ErrorCode.BAD_URL: "Write the whole address, beginning with https://",
    ErrorCode.BAD_BOOLEAN: "Write yes or no, or leave the cell empty.",
    ErrorCode.BAD_TEMPLATE: "Name a column of the row in the braces; write {{ and }} for plain braces.",
    ErrorCode.FORMULA_ERROR: (
        "Repair the formula, or write its value; saving in Excel once puts the value beside the formula."
    ),
    ErrorCode.TOO_WIDE: "Write a smaller range; the sentence says how wide one may be.",
    ErrorCode.UNKNOWN_ACCOUNT: (
        "Correct the name in Account, or describe the account in the job file or in --accounts FILE."
    ),
    WarningCode.INSECURE_URL: "Use https:// so that nobody on the way can read the events.",
    WarningCode.PRIVATE_URL: "Use an address that can be reached from the internet.",
    WarningCode.NEVER_FIRES: "Choose another event: None is never delivered.",
    ErrorCode.ALREADY_EXISTS: "Nothing, if the one that exists will do; else use --if-exists update.",
    ErrorCode.API_VALIDATION: "Correct the field that the message names.",
    ErrorCode.API_AUTH: "Check the credentials, and that they may create webhooks at this location.",
    ErrorCode.API_FORBIDDEN: "Ask an administrator for the role WebHook-Create at this location.",
    ErrorCode.API_NOT_FOUND: "Check the id: the location or the webhook is not there (any more).",
    ErrorCode.API_CONFLICT: "Look the record up in Nexudus; someone may have changed it meanwhile. Then run again.",
    ErrorCode.API_ERROR: "Run again later; if it stays, give the message to Nexudus support.",
    ErrorCode.IN_DOUBT: "Run again: it is looked up first, and never sent blindly.",
    ErrorCode.NOT_SENT: "Run the same command again: nothing of it left this machine, for the reason given.",
    "failing": "Fix the receiving end; ErrorCount falls back when deliveries succeed.",
    "disabled": "Fix the receiving end, then switch on with `bulkhooks health --reactivate`.",
}


def what_to_do(code: str) -> str:
    """What a person can do about an error code, as one sentence."""
    return _CODES.get(code, "See the sentence.")


def headline(summary: Summary, counts: Mapping[str, int]) -> str:
    """How it went, in one sentence, which begins with REHEARSAL where nothing was sent to a real server.

    ``counts`` are rows by verdict.
    """
    sentence = _headline(summary, counts)
    return f"{REHEARSAL}, nothing of this is in Nexudus: {sentence}" if summary.is_rehearsal else sentence


def _headline(summary: Summary, counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    parts = [f"{counts[verdict]:,} {verdict}" for verdict in in_order(counts) if verdict != "pending"]
    if not total:
        return "Nothing to do: not one row asks for a webhook."
    flawed = sum(counts[verdict] for verdict in counts if verdict in FLAWS)
    waiting = counts.get("pending", 0)
    rows = f"{total:,} {'webhook' if total == 1 else 'webhooks'}"
    if summary.status == "auth-error":
        parts += [f"{waiting:,} pending"] * bool(waiting)
        return f"Stopped, because the API did not take the credentials. Of {rows}: {_listed(parts)}."
    if waiting:
        return f"Not finished: {waiting:,} of {rows} still to be sent. So far: {_listed(parts) or 'nothing'}."
    if "planned" in counts:
        return f"The plan for {rows}: {_listed(parts)}."
    if flawed:
        return f"{flawed:,} of {rows} {'needs' if flawed == 1 else 'need'} a look: {_listed(parts)}."
    return f"All is well with {rows}: {_listed(parts)}."


def next_steps(summary: Summary, counts: Mapping[str, int]) -> list[str]:
    """What the reader can do now, a sentence each; empty where all is done."""
    steps = []
    is_undo = not {"deleted", "restored", "changed", "missing"}.isdisjoint(counts) and set(in_order(counts)) <= _OF_UNDO
    correctable = counts.get("invalid", 0) + counts.get("failed", 0)
    if summary.status == "auth-error":
        steps.append("Check the credentials (`bulkhooks check --live`), then run the same command again.")
    if correctable and is_undo:
        steps.append("Run the same command again: it tries once more what could not be taken back.")
    elif correctable:
        steps.append(
            "Correct the rows with ✗ in the sheet Results (blue headings; Error says what is wrong, Problems sums it"
            " up), save, and run this very file: bulkhooks run FILE. Rows that are done are not sent twice."
        )
    if counts.get("pending"):
        when = f" From {both_times(summary.resume_at)} the limits let it go on." if summary.resume_at else ""
        steps.append(f"Run the same command again: it sends what is pending, and nothing twice.{when}")
    steps += [
        f"{verdict.capitalize()}: {advice}."
        for verdict, (_, _, advice) in VERDICTS.items()
        if advice and counts.get(verdict) and verdict not in {"invalid", "failed", "pending"}
    ]
    return steps


def in_order(verdicts: Mapping[str, int]) -> list[str]:
    """The verdicts that occur, in the order in which they are shown."""
    known = [verdict for verdict in VERDICTS if verdicts.get(verdict)]
    return known + sorted(verdict for verdict in verdicts if verdict not in VERDICTS and verdicts[verdict])


def both_times(moment: str | None) -> str:
    """``2025-03-01T09:30:00.000Z`` as ``2025-03-01 10:30:00 local time (2025-03-01 09:30:00 UTC)``; '' for None."""
    if not moment:
        return ""
    there = dt.datetime.fromisoformat(moment)
    local = there.astimezone()
    return f"{local:%Y-%m-%d %H:%M:%S} local time ({there.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC)"


def _listed(parts: list[str]) -> str:
    return "".join(parts) if len(parts) < 2 else f"{', '.join(parts[:-1])} and {parts[-1]}"
