"""Which server a results workbook was made against, as it says itself."""

from __future__ import annotations

import zipfile
from pathlib import Path

from lxml import etree

from bulkhooks.errors import InputError
from bulkhooks.sheets.reading.workbooks.workbook import Workbook
from bulkhooks.sheets.writing.summary_sheet import RUN_ID, SERVER, SUMMARY

_PROPERTIES = "docProps/custom.xml"
_MOST_BYTES = 1_000_000


def recorded_server(path: Path) -> str | None:
    """What the workbook at ``path`` says of its server (``Summary.target``); None where it does not say.

    Programs that save a workbook again keep its property (Excel, LibreOffice, openpyxl) or its sheet Summary (Google
    Sheets); where both are gone, nobody knows. No error is raised for a file that cannot be read.
    """
    return _property(path) or _line_of_summary(path)


def _property(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as package, package.open(_PROPERTIES) as part:
            xml = part.read(_MOST_BYTES)
        root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except (OSError, KeyError, NotImplementedError, RuntimeError, zipfile.BadZipFile, etree.XMLSyntaxError):
        return None
    for known in root:
        if known.get("name") == SERVER:
            return "".join(map(str, known.itertext())).strip() or None
    return None


def _line_of_summary(path: Path) -> str | None:
    try:
        book = Workbook(path.name, str(path))
        for grid in book.grids({SUMMARY}):
            if len(grid.columns) > 1:
                facts = dict(zip(grid.columns[0].tolist(), grid.columns[1].tolist(), strict=True))
                return str(facts.get(SERVER) or "") or None if RUN_ID in facts else None
    except (InputError, OSError):
        return None
    return None
