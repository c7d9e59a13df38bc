"""Templates."""

from __future__ import annotations

from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhooks.sheets.normalizing.categorical import Categorical, texts
from bulkhooks.sheets.normalizing.templates import TemplateColumn, TemplateReader, escape

KNOWN = ["BusinessId", "Location", "Action", "ActionId", "Region", "region", "Status (input)", "Own %s column"]
READER = TemplateReader("URL", KNOWN)


def fill_in(templates, values, *, in_url=False):
    """Each template filled in with its own values."""
    column = Categorical.of(texts(templates))
    parsed = TemplateColumn.of(column.codes, [READER.read(text)[0] for text in column.distinct])
    filled, _ = parsed.fill_in(
        np.arange(len(templates)), lambda key: Categorical.of(texts(one.get(key, "") for one in values)), in_url=in_url
    )
    return list(filled)


@pytest.mark.parametrize(
    ("template", "keys"),
    [
        ("{Region}", ("Region",)),
        ("{region}", ("region",)),
        ("{ business id }", ("BusinessId",)),
        ("{Status}", ("Status (input)",)),
        ("{Site}/{Event}", ("Location", "Action")),
        ("{own%scolumn}", ("Own %s column",)),
        ("{{Region}}", ()),
        ("{{{Region}}}", ("Region",)),
        ("none", ()),
    ],
)
def test_names(template, keys):
    """A column is found by its name, then without case, spaces and punctuation, then by another header of the field."""
    assert READER.read(template)[0].keys == keys
    assert READER.read(template)[1] == []


def test_filled_in():
    """Blanks take the values of their own line; double braces and per cent signs are text."""
    assert fill_in(
        ["{{{Region}}}-100%-{BusinessId}", "plain", "{Region}{Region}%s", "{{%s}}"],
        [{"Region": "North", "BusinessId": "1"}, {}, {"Region": "South %d"}, {}],
    ) == ["{North}-100%-1", "plain", "South %dSouth %d%s", "{%s}"]


def test_values_in_urls_are_encoded():
    """Every value is percent-encoded in a URL, also its slashes; the URL's own text is left as written."""
    assert fill_in(["https://x.io/ä?q={Region}"], [{"Region": "Süd & Nord/1"}], in_url=True) == [
        "https://x.io/ä?q=S%C3%BCd%20%26%20Nord%2F1"
    ]


@pytest.mark.parametrize(
    ("template", "word"),
    [
        ("{Regin}", "{Region}"),
        ("{}", "{BusinessId}"),
        ("{zzzzzz}", "{{ and }}"),
        ("https://x.io/{Region", "a brace stands alone"),
        ("https://x.io/Region}", "a brace stands alone"),
        ("{Region}}", "a brace stands alone"),
        ("{a{Region}", "a brace stands alone"),
    ],
)
def test_mistakes(template, word):
    """An unknown column is told with the nearest, a brace that stands alone with how to write one."""
    (finding,) = READER.read(template)[1]
    assert finding.code == "bad-template"
    assert word in finding.sentence


@given(st.text(max_size=40))
def test_text_with_its_braces_doubled_is_itself(text):
    """Any text with its braces doubled says just that text."""
    (template, findings) = READER.read(escape(text))
    assert findings == []
    assert template == (text, ())


@given(st.lists(st.tuples(st.text("{}%sab", max_size=8), st.text(max_size=8)), min_size=1, max_size=8))
def test_values_come_back(pairs):
    """Whatever stands around it and in it, a value is put in unchanged, and can be decoded again from a URL."""
    templates = [escape(text) + "{Region}" for text, _ in pairs]
    values = [{"Region": value} for _, value in pairs]
    assert fill_in(templates, values) == [text + value for text, value in pairs]
    encoded = fill_in(templates, values, in_url=True)
    assert [unquote(url[len(text) :]) for url, (text, _) in zip(encoded, pairs, strict=True)] == [
        value for _, value in pairs
    ]


@given(st.text("{}aRegion% \n", max_size=30))
def test_any_text(text):
    """No template is an error of the program."""
    template, findings = READER.read(text)
    assert bool(findings) or fill_in([text], [{}]) is not None
    assert len(template.keys) == (template.pattern.replace("%%", "").count("%s") if template.keys else 0)
