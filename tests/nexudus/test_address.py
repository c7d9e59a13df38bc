"""Base URLs: which are taken."""

from __future__ import annotations

import pytest

from bulkhooks.errors import UsageError
from bulkhooks.nexudus.address import account_key, check_base_url, is_loopback


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (" https://spaces.nexudus.com/ ", "https://spaces.nexudus.com"),
        ("HTTPS://Spaces.Nexudus.com", "https://spaces.nexudus.com"),
        ("https://proxy.example.com/Nexudus/", "https://proxy.example.com/Nexudus"),
        ("http://localhost:8899", "http://localhost:8899"),
        ("http://127.1.2.3", "http://127.1.2.3"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_a_base_url_is_taken_in_one_form(given, taken):
    """However it is written, it is one address."""
    assert check_base_url(given) == taken


@pytest.mark.parametrize(
    ("one", "others"),
    [
        ("https://a.example", ["https://a.example:443", "HTTPS://A.Example./", "https://a.example//"]),
        ("http://a.example", ["http://a.example:80"]),
        ("http://localhost:8899", ["http://127.0.0.1:8899/", "http://[::1]:8899", "http://LOCALHOST.:8899"]),
        ("https://10.0.0.1", ["https://10.0.0.1:443"]),
        ("https://[2001:db8::1]:8443", ["https://[2001:DB8:0::1]:8443", "https://[2001:0db8::1]:8443/"]),
        ("https://b\u00fccher.example", ["https://xn--bcher-kva.example", "https://B\u00dcCHER.example:443"]),
    ],
)
def test_all_spellings_of_a_server_are_one_account(one, others):
    """The journal tells accounts apart by server and user, whatever was typed."""
    assert {account_key(other, "admin") for other in others} == {account_key(one, "admin")}
    assert account_key(account_key(one, "x").partition("|")[0], "admin") == account_key(one, "admin")


def test_different_servers_and_users_are_different_accounts():
    """Another scheme, port, path or user is another account."""
    addresses = ["https://a.example", "http://a.example", "https://a.example:8443", "https://a.example/b", "https://b"]
    keys = {account_key(address, user) for address in addresses for user in ("one", "two")}
    assert len(keys) == 2 * len(addresses)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "spaces.nexudus.com",
        "ftp://spaces.nexudus.com",
        "https://",
        "https://a b",
        "https://a:99999",
        "https://[::1",
        "https://user:s3cret@spaces.nexudus.com",
        "https://spaces.nexudus.com?key=s3cret",
        "https://spaces.nexudus.com/#s3cret",
        "http://spaces.nexudus.com",
        "http://10.0.0.1",
        "http://localhost.example.com",
    ],
)
def test_what_is_no_base_url_is_refused_without_its_secrets(given):
    """What is no address, or would show or lose the credentials, is a usage error that repeats no secret."""
    with pytest.raises(UsageError, match="--base-url") as caught:
        check_base_url(given)
    assert "s3cret" not in str(caught.value)


def test_plain_http_can_be_allowed():
    """--allow-http takes plain http to any host."""
    assert check_base_url("http://10.0.0.1:80", allow_http=True) == "http://10.0.0.1:80"


def test_loopback_is_this_machine_alone():
    """Names and addresses of this machine are told from those that only look like it."""
    assert all(map(is_loopback, ["localhost", "LOCALHOST.", "api.localhost", "127.0.0.1", "127.9.9.9", "::1"]))
    assert not any(map(is_loopback, ["localhost.example.com", "128.0.0.1", "0.0.0.0", "127.0.0.1.example.com", ""]))
