"""What may be shown of a URL, wherever it stands, and that finding out takes no longer than it must."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhooks.redact import hide, shown_url, without_secrets

SHOWN = {
    "https://example.com/a": "https://example.com/a",
    "https://user@example.com/a": "https://example.com/a",
    "https://user:hush@example.com/a": "https://example.com/a",
    "https://user:hu@sh@example.com/a": "https://example.com/a",
    "https://u:it's,hush@example.com/it's": "https://example.com/it's",
    "https://example.com/a?key=hush": "https://example.com/a",
    "https://example.com?hush": "https://example.com",
    "https://example.com/a#hush": "https://example.com/a",
    "https://example.com/a#hush?hush": "https://example.com/a",
    "https://example.com/a?next=https://b.example/?k=hush": "https://example.com/a",
    "HTTPS://User:Hush@Example.com/A?hush": "HTTPS://Example.com/A",
    "https://bücher.example/größe?hush": "https://bücher.example/größe",
    "https://u:hüsh@bücher.example/ß": "https://bücher.example/ß",
    "http://hush@[::1]:80/x#hush": "http://[::1]:80/x",
    "http://[2001:db8::7]?hush": "http://[2001:db8::7]",
    "https://example.com:8443/a@b": "https://example.com:8443/a@b",
    "https://example.com/@team/a?hush": "https://example.com/@team/a",
    "https://user:hu/sh@example.com/a": "https://…",
    "https://user:hu?sh@example.com/a": "https://…",
    r"https://user:hush@example.com\a?hush": r"https://example.com\a",
    "https://{host}/{path}?hush": "https://{host}/{path}",
    "https://": "https://",
    "https://?hush": "https://",
    "https:///a?hush": "https:///a",
    "https://hush@": "https://",
    "postgresql://user:hush@db.example/jobs": "postgresql://db.example/jobs",
    "socks5://user:hush@127.0.0.1:1080": "socks5://127.0.0.1:1080",
}


@pytest.mark.parametrize("url", SHOWN)
def test_a_url_shows_where_it_leads_and_lets_nobody_in(url):
    """By itself and inside a sentence it is shown alike: scheme, host, port and path."""
    assert shown_url(url) == SHOWN[url]
    assert without_secrets(f"to {url} (here)") == f"to {SHOWN[url]} (here)"
    assert without_secrets(SHOWN[url]) == SHOWN[url]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see https://u:hush@example.com/a?k=hush now", "see https://example.com/a now"),
        ("'https://example.com/?hush' is bad", "'https://example.com/' is bad"),
        ("(https://example.com?hush). Then", "(https://example.com). Then"),
        ("https://a.example/x,https://u:hush@b.example/?hush", "https://a.example/x,https://b.example/"),
        ("1https://u:hush@example.com", "1https://example.com"),
        ('{"url":"https://u:hush@a.example/?k=hush"}', '{"url":"https://a.example/"}'),
        ("nothing to hide: user@example.com?", "nothing to hide: user@example.com?"),
    ],
)
def test_urls_in_sentences(text, shown):
    """What a sentence puts around a URL stays."""
    assert without_secrets(text) == shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("/login?next=hush", "/login"),
        ("//user:hush@example.com/a?hush", "//example.com/a"),
        ("?hush", ""),
        ("", ""),
        ("https://user:my hush@example.com/a b?hush", "https://example.com/a b"),
        ("https://example.com/\x1b[2J\n", "https://example.com/\ufffd[2J\ufffd"),
    ],
)
def test_addresses_that_are_no_whole_url(url, shown):
    """An address that an answer names may be relative, or hold what no terminal should get."""
    assert shown_url(url) == shown


@given(
    user=st.text("abc:@'!,", max_size=9), path=st.text("abc/@:.", max_size=9), query=st.text("abc=&?#@:/", max_size=9)
)
def test_no_user_and_no_query_of_any_url(user, path, query):
    """Whatever they hold, neither is left."""
    shown = without_secrets(f"to https://{user}HUSH@example.com/{path}?{query}HUSH end")
    assert "HUSH" not in shown
    assert shown.startswith("to https://")
    assert shown.endswith(" end")


def test_secrets_are_replaced_and_short_ones_are_not():
    """A value of a few letters is in every sentence."""
    assert hide("token-1 and abc", "token-1", "abc", "") == "*** and abc"


@pytest.mark.parametrize(
    "piece", ["https://", "https://a@", "a@", "://", "https", "?", "https://a?", "https:// ", "'", "://x'", "[", ":["]
)
def test_the_time_grows_with_the_length_and_no_faster(piece):
    """Sixteen times the text takes about sixteen times as long; where it grew with the square, it would be 256 times.
    What counts is the processor's time, for the machine may have other work."""

    def seconds(count):
        text = piece * count
        taken = []
        for _ in range(3):
            start = time.thread_time()
            without_secrets(text)
            shown_url(text)
            taken.append(time.thread_time() - start)
        return min(taken)

    assert seconds(64_000) < 100 * max(seconds(4_000), 0.0005)
