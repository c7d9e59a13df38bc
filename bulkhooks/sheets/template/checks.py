"""Formulas of the template that turn cells red or yellow while a person types, written for row 2.

``LocationIds``, ``LocationNames`` and ``EventNames`` (numbers, both words, the API's names) are names of ranges there.

They know less than ``check``: what they cannot judge (lists of names, templates) they let pass.
"""

from __future__ import annotations

from functools import reduce

from bulkhooks.sheets.examples import EXAMPLES

_FIELDS = {"BusinessId": "A", "Action": "B", "URL": "C", "Name": "D", "Description": "E", "Active": "F"}


def _without(text: str, characters: str) -> str:
    """A formula for ``text`` without these characters."""
    return reduce(lambda inner, character: f'SUBSTITUTE({inner},"{character}","")', characters, text)


def _has_none(text: str, characters: str) -> str:
    return f"LEN({text})=LEN({_without(text, characters)})"


_SEPARATORS = ",;|"
_DIGITS = "0123456789"
_BUSINESS, _ACTION, _URL = "TRIM($A2)", "TRIM($B2)", "TRIM($C2)"
_IS_ONE_BUSINESS = f'{_BUSINESS}<>"",{_has_none(_BUSINESS, _SEPARATORS)},ISERROR(FIND(CHAR(10),$A2))'
_IS_DIGITS = f'{_without(_BUSINESS, _DIGITS)}=""'
_IS_RANGE = f'{_without(_without(_BUSINESS, _DIGITS), " ")}="-"'

EXAMPLE = "=OR({})".format(
    ",".join(
        "AND({})".format(",".join(f'${_FIELDS[name]}2&""="{text}"' for name, text in example.items()))
        for example in EXAMPLES
    )
)
"""The row is one of the examples, to the letter."""

VALUE_MISSING = '=AND(COUNTA($A2:$F2)>0,TRIM(A2)="")'
"""The row is begun, and this cell of it has to be filled in."""

BUSINESS_WRONG = (
    f'=AND({_IS_ONE_BUSINESS},NOT(OR({_IS_DIGITS},{_IS_RANGE},{_BUSINESS}="*",LOWER({_BUSINESS})="all",'
    f'LEFT({_BUSINESS})="@",COUNTIF(LocationNames,{_BUSINESS})>0)))'
)
"""Neither an id, nor a range, a group, everything, or a name of the sheet Locations."""

BUSINESS_NOT_LISTED = f"=AND({_IS_ONE_BUSINESS},{_IS_DIGITS},COUNT(LocationIds)>0,COUNTIF(LocationIds,{_BUSINESS})=0)"
"""An id, and the sheet Locations is filled in but does not have it."""

_ACTION_IN_ONE_PIECE = _without(_ACTION, " -_")
_ACTION_UNKNOWN = (
    f'{_ACTION}<>"",{_has_none(_ACTION, _SEPARATORS + "*")},ISERROR(FIND(CHAR(10),$B2)),'
    f'COUNTIF(EventNames,{_ACTION})=0,COUNTIF(EventNames,{_ACTION}&" (*")=0,'
    f"COUNTIF(EventNames,{_ACTION_IN_ONE_PIECE})=0,"
    f'LOWER({_ACTION_IN_ONE_PIECE})<>"helpdeskmessagecreated"'
)
"""One event, and neither a number nor a name of the sheet Events, however spaced, nor the panel's words there."""
_ACTION_IS_ONE_WORD = f"{_ACTION_IN_ONE_PIECE}={_ACTION}"

ACTION_MISSPELT = f"=AND({_ACTION_UNKNOWN},{_ACTION_IS_ONE_WORD})"
"""An unknown event in one word, as the API writes them."""

ACTION_NOT_LISTED = f"=AND({_ACTION_UNKNOWN},NOT({_ACTION_IS_ONE_WORD}))"
"""An unknown event in several words: it may be the panel's in another spelling, which ``check`` knows."""

URL_WRONG = (
    f'=AND({_URL}<>"",OR(NOT(OR(LEFT(LOWER({_URL}),8)="https://",LEFT(LOWER({_URL}),7)="http://",'
    f'LEFT({_URL})="{{")),LEN({_URL})<11,'
    f'AND(ISERROR(FIND("{{",{_URL})),NOT(ISERROR(FIND(" ",{_URL}))))))'
)
"""No web address, or one with a space in it (in braces a column's name may have one: ``check`` knows)."""

URL_INSECURE = f'=LEFT(LOWER({_URL}),7)="http://"'
"""Anybody on the way can read what is sent."""
