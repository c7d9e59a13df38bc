"""Which proxy a request goes through, by the variables of the environment."""

from __future__ import annotations

import pytest

from bulkhooks.nexudus.proxies import Proxy, proxy_for

pytestmark = pytest.mark.usefixtures("bare_environment")


@pytest.mark.parametrize(
    ("environment", "variable"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "p:1"}, "HTTPS_PROXY"),
        ({"https_proxy": "p:1", "HTTPS_PROXY": "p:2"}, "https_proxy"),
        ({"https_proxy": "", "HTTPS_PROXY": "p:2"}, None),
        ({"HTTP_PROXY": "p:1"}, None),
        ({"ALL_PROXY": "p:1"}, "ALL_PROXY"),
        ({"HTTPS_PROXY": "p:1", "ALL_PROXY": "p:2"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": " ", "all_proxy": "p:2"}, "all_proxy"),
    ],
)
def test_which_variable_counts(environment, variable, monkeypatch):
    """The scheme's own before that for all, lower case before upper case; a proxy without a scheme is http."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    found = proxy_for("https", "spaces.example.com", None)
    assert (found and found.variable) == variable
    assert found is None or found.url.startswith("http://p:")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.8.9.1", "::1"])
def test_this_machine_is_reached_directly(host, monkeypatch):
    """Loopback is never asked for through a proxy."""
    monkeypatch.setenv("ALL_PROXY", "http://p:1")
    assert proxy_for("http", host, 80) is None


@pytest.mark.parametrize(
    ("no_proxy", "exempt", "others"),
    [
        ("localhost,127.0.0.0/8,::1/128", [], ["a.example", "10.0.0.1", "2001:db8::1"]),
        ("*", ["a.example", "10.0.0.1"], []),
        ("a.example", ["a.example", "A.Example.", "b.a.example"], ["ba.example", "example", "a.example.com"]),
        (".a.example", ["a.example", "b.a.example"], ["ba.example"]),
        ("*.a.example", ["a.example", "b.a.example"], ["ba.example"]),
        ("x.example, a.example  c.example", ["x.example", "a.example", "c.example"], ["b.example"]),
        ("a.example:443", ["a.example"], []),
        ("a.example:8443", [], ["a.example"]),
        ("10.0.0.1:443", ["10.0.0.1"], ["10.0.0.2"]),
        ("10.0.0.0/8", ["10.1.2.3"], ["11.0.0.1", "10.example", "2001:db8::1"]),
        ("2001:db8::/32", ["2001:db8::1"], ["2001:db9::1", "10.0.0.1"]),
        ("[2001:db8::1]", ["2001:db8::1"], ["2001:db8::2"]),
        ("[2001:db8::1]:443", ["2001:db8::1"], []),
        ("[2001:db8::1]:80", [], ["2001:db8::1"]),
        ("https://a.example", ["a.example"], ["b.example"]),
        (", ,.,:,[,/", [], ["a.example", "10.0.0.1"]),
    ],
)
def test_what_no_proxy_exempts(no_proxy, exempt, others, monkeypatch):
    """Names with all below them, addresses, networks and ports, in every spelling that other programs take."""
    monkeypatch.setenv("HTTPS_PROXY", "http://p:1")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert [host for host in exempt if proxy_for("https", host, None)] == []
    assert [host for host in others if not proxy_for("https", host, None)] == []


def test_a_proxy_shows_no_password():
    """Its address is not part of what it shows."""
    assert "hush" not in repr(Proxy("HTTPS_PROXY", "http://u:hush@p:1"))
