"""Workbooks whose XML is well formed whatever came in.

XlsxWriter leaves characters that XML has no place for (a vertical tab, half of a surrogate pair) as they are in most of
what it writes, and nobody can open the workbook then.
"""

from __future__ import annotations

import re
from typing import Any

from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def sound(text: str) -> str:
    """``text`` with a replacement character for each that XML cannot hold."""
    return text if text.isprintable() else _NOT_IN_XML.sub("\ufffd", text)


class SoundWorksheet(Worksheet):  # type: ignore[misc]  # XlsxWriter has no types
    """A worksheet that takes any text."""

    def write_string(self, row: int, column: int, text: str, *more: Any) -> int:
        return int(super().write_string(row, column, sound(text), *more))

    def write_url(self, row: int, column: int, url: str, form: Any, *texts: str) -> int:
        return int(super().write_url(row, column, sound(url), form, *map(sound, texts)))

    def set_footer(self, text: str) -> None:
        super().set_footer(sound(text))


class SoundWorkbook(Workbook):  # type: ignore[misc]  # likewise
    """A workbook of such sheets; its properties may be any text as well."""

    worksheet_class = SoundWorksheet

    def set_properties(self, properties: dict[str, object]) -> None:
        super().set_properties({name: _sound(value) for name, value in properties.items()})

    def set_custom_property(self, name: str, value: object) -> int:
        return int(super().set_custom_property(name, _sound(value)))


def _sound(value: object) -> object:
    return sound(value) if isinstance(value, str) else value
