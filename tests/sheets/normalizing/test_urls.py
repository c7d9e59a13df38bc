"""Endpoints."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhooks.sheets.normalizing.urls import UrlCheck, check, clean


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com",
        "HTTPS://Hooks.Example.com/In?x=1#y",
        "https://user:pass@hooks.example.com:8443/in",
        "https://[2001:db8::7]:443/in",
        "https://203.0.113.7/in",
        "https://bücher.example/straße",
        "https://xn--bcher-kva.example",
        "https://my_host.example.com./",
        "https://hooks.example.com?token=a/b",
        "https://hooks.example.com/?next=https://other.example.com/in",
        "https://archive.example.com/https://other.example.com",
        "https://hooks.example.com/a%20b%2C?x=%7Bid%7D&y=2",
        "https://hooks.example.com/Soho_(London)",
        "https://hooks.example.com/a,b;c/",
    ],
)
def test_good(url):
    """Every URL with https and a host is taken without a word."""
    assert check(url) == UrlCheck("")


@pytest.mark.parametrize(
    ("url", "word"),
    [
        *(
            (f"https://a.example.com/in{between}HTTPS://b.example.com/in", "more than one address")
            for between in (",", ";", "|", " ", ", ", "\n", " ; ", " and ")
        ),
        ("https://a.example.com/in?x=1,https://b.example.com/in", "more than one address"),
        ("hooks.example.com/in", "Did you mean https://hooks.example.com/in?"),
        ("//hooks.example.com/in", "Did you mean https://hooks.example.com/in?"),
        ("https:/hooks.example.com", "https://, the host"),
        ("localhost:8080/in", "Did you mean https://localhost:8080/in?"),
        ("https://", "no host"),
        ("https:///in", "https://"),
        ("https://:443/in", "no host"),
        ("ftp://hooks.example.com", '"ftp:"'),
        ("mailto:a@example.com", '"mailto:"'),
        ("javascript:alert(1)", '"javascript:"'),
        ("https://hooks.example.com/a b", "a space"),
        ("https://hooks.example.com/a\u00a0b", "a space"),
        ("https://hooks.example.com/a\nb", "a line break"),
        ("https://hooks.example.com/a\tb", "a tab"),
        ("https://hooks.example.com/a\u200bb", "invisible character (U+200B)"),
        ("https://hooks.example.com/a\x00b", "invisible character (U+0000)"),
        ("https://hooks.example.com:0/", '"0"'),
        ("https://hooks.example.com:65536/", '"65536"'),
        ("https://hooks.example.com:/", "port"),
        ("https://hooks.example.com:x/", "host"),
        ("https://999.1.1.1/", "IP address"),
        ("https://2130706433/", "IP address"),
        ("https://0x7f.1/", "IP address"),
        ("https://[::zz]/", "IP address"),
        ("https://Soho%20London.example.com/", "no host name"),
        ("https://.example.com/", "no host name"),
        ("https://-x.example.com/", "no host name"),
        (f"https://{'a' * 64}.example.com/", "no host name"),
        ("https:\\\\hooks.example.com", "host"),
        ("tbd", "begins with https://"),
        ("", "begins with https://"),
    ],
)
def test_bad(url, word):
    """What events cannot be delivered to is told, with what to write instead."""
    assert word in check(url).sentence


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "LOCALHOST.", "a.localhost", "printer.local", "db.internal", "127.0.0.1", "127.9.9.9", "10.1.2.3",
        "172.16.0.1", "172.31.255.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "[::1]", "[::]",
        "[fe80::1]", "[fd00::1]", "[::ffff:10.0.0.1]",
    ],
)  # fmt: skip
def test_private(host):
    """Loopback, private and link-local addresses are told from those that Nexudus can reach."""
    assert check(f"https://{host}:8443/in") == UrlCheck("", is_private=True)
    assert check(f"http://user@{host}/") == UrlCheck("", is_insecure=True, is_private=True)


@pytest.mark.parametrize("host", ["172.32.0.1", "11.0.0.1", "localhost.example.com", "8.8.8.8", "[2606:4700::1111]"])
def test_public(host):
    """Addresses that only look private are not called so."""
    assert check(f"https://{host}/in") == UrlCheck("")


@pytest.mark.parametrize(
    "pasted",
    [
        "“https://x.io/a”",
        "\u200bhttps://x.io/a\u200f",
        "<https://x.io/a>",
        "'https://x.io/a'",
        '"https://x.io/a" ',
        "«https://x.io/a»\ufeff",
    ],
)
def test_clean(pasted):
    """Quotes, brackets and invisible characters around a pasted URL go; its own text stays."""
    assert clean(pasted) == "https://x.io/a"
    assert clean("https://x.io/a'") == "https://x.io/a'"


def test_secrets_are_hidden():
    """User name, password and query are not repeated in sentences."""
    assert "secret" not in check("x.example.com/?token=secret").sentence
    assert "secret" not in check("https://me:secret@x.example.com:99999/").sentence


@given(st.text(max_size=60) | st.text("https:/[]@.?#%\\ 0123456789a{}", max_size=40).map("https://{}".format))
def test_any_text(text):
    """No text is an error of the program."""
    check(clean(text))


@pytest.mark.parametrize(
    ("url", "sentences"),
    [
        *((f"https://hooks.example.com/in{last}", [f'its last character "{last}" would be']) for last in ",;.:!?)]'…"),
        ("https://hooks.example.com/?x=1,", ['its last character ","']),
        ("https://hooks.example.com/(a))", ['its last character ")"']),
        ("https://hooks.example.com/{BusinessId}", ['"{BusinessId}" would be sent with its braces']),
        ("https://hooks.example.com/{in", ['"{" would be sent with its braces']),
        ("https://hooks.example.com/<BusinessId>", ['"<BusinessId>" would be sent with its angle brackets']),
        ("https://hooks.example.com/?a=1&amp;b=2", ['"&amp;" would be sent as it stands']),
        ("https://hooks.example.com/?a=1&#38;b=2", ['"&#38;" would be sent as it stands']),
        ("https://hooks.example.com/%zz", ['"%zz" would be sent as it stands']),
        ("https://hooks.example.com/100%", ['"%" would be sent as it stands']),
        ("https://hooks.example.com/{a}/%4,", ['"{a}"', '"%4,"', 'its last character ","']),
    ],
)  # fmt: skip
def test_odd(url, sentences):
    """What looks as if it were not meant is told with what would be sent; the URL is taken all the same."""
    verdict = check(url)
    assert verdict.sentence == ""
    assert [sentence for sentence in sentences if sentence not in verdict.odd] == []
    assert verdict.odd.startswith("looks odd: ")
