"""The validation of a webhook, and the 400 that names every field that fails it, in the API's shape."""

from __future__ import annotations

import json
import math
from collections.abc import Container
from typing import Any
from urllib.parse import urlsplit

from bulkhooks.actions import NAMES

REQUIRED = "is a required field"


class Rejected(Exception):
    """A request that is answered 400; each error is (property, message, attempted value), property '' for the whole."""

    def __init__(self, *errors: tuple[str, str, object]) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{name}: {message}" if name else message for name, message, _ in errors))

    def answer(self) -> dict[str, object]:
        """The body of the 400 (bulkhooks/docs/nexudus.md)."""
        return {
            "Message": str(self),
            "Value": None,
            "Errors": [
                {"AttemptedValue": value, "Message": message, "PropertyName": name}
                for name, message, value in self.errors
            ],
            "WasSuccessful": False,
        }


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; ``Rejected`` where it is none."""
    try:
        content = json.loads(body, parse_constant=_number, parse_float=_number)
    except (ValueError, RecursionError):
        raise Rejected(("", "The request body is not valid JSON", None)) from None
    if not isinstance(content, dict):
        raise Rejected(("", "The request body must be a JSON object", None))
    return content


def webhook_fields(body: dict[str, Any], locations: Container[object]) -> dict[str, Any]:
    """The six fields that a client writes, in the API's order; ``Rejected`` names everything that is wrong.

    What the body leaves out is None, also for ``Active``: what that means is for the caller to say.
    """
    fields = {name: body.get(name) for name in ("BusinessId", "Name", "Action", "Description", "URL", "Active")}
    problems = {
        "BusinessId": _business_problem(fields["BusinessId"], locations),
        "Name": _name_problem(fields["Name"]),
        "Action": _action_problem(fields["Action"]),
        "URL": _url_problem(fields["URL"]),
        "Description": _type_problem(fields["Description"], str, "must be text"),
        "Active": _type_problem(fields["Active"], bool, "must be true or false"),
    }
    errors = [(name, problem, fields[name]) for name, problem in problems.items() if problem]
    if errors:
        raise Rejected(*errors)
    return fields


def id_of(body: dict[str, Any]) -> int:
    """The ``Id`` of an update; ``Rejected`` where there is none."""
    webhook_id = body.get("Id")
    if webhook_id is None:
        raise Rejected(("Id", REQUIRED, None))
    if not _is_integer(webhook_id):
        raise Rejected(("Id", "must be an integer", webhook_id))
    return int(webhook_id)


def _business_problem(value: object, locations: Container[object]) -> str:
    if value is None:
        return REQUIRED
    if not _is_integer(value):
        return "must be an integer"
    return "" if value in locations else "is not a location of this account"


def _name_problem(value: object) -> str:
    if value is None or (isinstance(value, str) and not value.strip()):
        return REQUIRED
    return _type_problem(value, str, "must be text")


def _action_problem(value: object) -> str:
    if value is None:
        return REQUIRED
    if isinstance(value, int) and _is_integer(value) and 1 <= value <= len(NAMES):
        return ""
    return f"must be an integer between 1 and {len(NAMES)}"


def _url_problem(value: object) -> str:
    if value is None or (isinstance(value, str) and not value.strip()):
        return REQUIRED
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
        good = bool(parts and parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0)
    except ValueError:
        good = False
    return "" if good and not any(map(str.isspace, str(value))) else "must be a valid http or https URL"


def _type_problem(value: object, type_: type, message: str) -> str:
    return "" if value is None or isinstance(value, type_) else message


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(text: str) -> float:
    """A number that can be written back; Python would also read NaN and Infinity, and 1e999 as the latter."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not JSON")
    return value
