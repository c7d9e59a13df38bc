"""Moments and durations as text, and the name of a run, which begins with its moment."""

from __future__ import annotations

import datetime
import secrets
import time


def new_run_id(moment: float) -> str:
    """``20261123T013500Z-4f2a9c01``: sorts by time, and names one run of the world."""
    return f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(moment))}-{secrets.token_hex(4)}"


def iso(moment: float | None) -> str | None:
    """UTC in ISO 8601 with milliseconds."""
    if moment is None:
        return None
    text = datetime.datetime.fromtimestamp(moment, datetime.UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def moment(text: str) -> float:
    """Seconds since 1970 of a time in ISO 8601."""
    return datetime.datetime.fromisoformat(text).timestamp()


def duration(seconds: float) -> str:
    """``45 s``, ``12 min``, ``3 h 20 min``, ``4 d 2 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 36:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def local_time(moment: float, now: float | None = None) -> str:
    """Seconds since 1970 as ``23:11 (in 48 s)`` or ``2026-11-27 02:00 (in 26 h 49 min)``, in the local time zone.

    The date stands there where it is not that of ``now`` (default: the clock).
    """
    now = time.time() if now is None else now
    there, here = (datetime.datetime.fromtimestamp(seconds).astimezone() for seconds in (moment, now))
    day = "" if there.date() == here.date() else f"{there:%Y-%m-%d} "
    away = f"in {duration(moment - now)}" if moment >= now else f"{duration(now - moment)} ago"
    return f"{day}{there:%H:%M} ({away})"
