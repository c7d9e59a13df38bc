"""Tables and locations for tests, built as the reader would."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bulkhooks.sheets.normalizing.expand import expand
from bulkhooks.sheets.normalizing.normalize import normalize
from bulkhooks.sheets.reading.locations import Location, Locations
from bulkhooks.sheets.reading.source import FIELDS, Source
from bulkhooks.sheets.reading.table import Table

URL = "https://hooks.example.com/in"

LOCATIONS = Locations(
    [
        Location(1001, "Soho, London", ["london"]),
        Location(1002, "Floor 2-3", ["london"]),
        Location(1003, "22 Bishopsgate", ["city", "london"]),
        Location(1004, "Twin"),
        Location(1005, "twin"),
        Location(1006),
    ]
)
NOWHERE = Locations()


def row(business_id="1001", action="BookingCreate", url=URL, **others):
    """A row that is right where nothing else is said."""
    return {"BusinessId": business_id, "Action": action, "URL": url, **others}


def table(*rows, extras=None, flaws=(), workbook=True):
    """A table of these rows, under a header in line 1, its columns in the order of FIELDS."""
    frame = pd.DataFrame(
        {name: pd.Series([values.get(name, "") for values in rows], dtype=object) for name in FIELDS}, copy=False
    )
    source = Source("Hooks", dict(zip(FIELDS, "ABCDEFGHI", strict=True)), is_workbook=True)
    if not workbook:
        source = Source("hooks.csv", {name: name for name in FIELDS}, is_workbook=False)
    frame["line"] = np.arange(len(rows)) + 2
    frame["source"] = 0
    frame["place"] = pd.Series([source.row(line) for line in frame["line"]], dtype=object)
    frame["known_doubt"] = False
    frame["known_id"] = np.array([values.get("known_id", 0) for values in rows], dtype="int64")
    columns = {name: pd.Series(values, dtype=object) for name, values in (extras or {}).items()}
    return Table(frame, pd.DataFrame(columns, index=range(len(rows)), copy=False), [source], NOWHERE, flaws)


def expanded(made, locations=NOWHERE, *, accounts=("acme", "globex"), name_template="{Location} - {Action}"):
    """The expansion of a table."""
    return expand(
        normalize(made, locations=locations, accounts=accounts, account="default", name_template=name_template)
    )


def told(*rows, locations=NOWHERE, **options):
    """Code and place of each problem of some rows."""
    return [(found.code, found.place) for found in expanded(table(*rows, **options), locations).problems]


def sentence(*rows, locations=NOWHERE, **options):
    """What is said of rows with a single problem."""
    (found,) = expanded(table(*rows, **options), locations).problems
    return str(found)
