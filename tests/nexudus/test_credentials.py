"""Credentials: where they are looked up, and the sentence where they are not there."""

from __future__ import annotations

import copy
import pickle
import traceback

import pyotp
import pytest

from bulkhooks.errors import CredentialsError
from tests.nexudus.conftest import authorization

PAIR = {"NEXUDUS_USERNAME": "Admin@Example.com", "NEXUDUS_PASSWORD": "p4ssword: ü"}


def header(environment, **settings) -> str:
    """The Authorization header that does not take a sign-in."""
    secret = authorization(environment, **settings).header
    assert secret is not None
    return secret.get_secret_value()


def sentence(environment, **settings) -> str:
    """The sentence of the error."""
    with pytest.raises(CredentialsError) as caught:
        authorization(environment, **settings)
    assert caught.value.exit_code == 3
    return str(caught.value)


@pytest.mark.parametrize("given", ["abc.def", "  abc.def\r\n", "Bearer abc.def", "bearer  abc.def"])
def test_a_token_is_sent_as_it_is(given):
    """A token counts however it was pasted, and tells no user."""
    assert header({"NEXUDUS_TOKEN": given}) == "Bearer abc.def"
    assert authorization({"NEXUDUS_TOKEN": given}).user == ""


@pytest.mark.parametrize("given", ["abc\ndef", "abc def", "tökén", "abc\x00def", "\ud800", "Bearer"])
def test_a_token_that_cannot_be_sent_is_named_and_not_shown(given):
    """What cannot stand in a header is refused by the name of its variable."""
    if given == "Bearer":
        assert header({"NEXUDUS_TOKEN": given}) == "Bearer Bearer"
        return
    said = sentence({"NEXUDUS_TOKEN": given})
    assert "NEXUDUS_TOKEN" in said
    assert given not in said


def test_nothing_set_names_the_token():
    """With no credentials at all, NEXUDUS_TOKEN is named, whatever the scheme; an empty variable is not set."""
    for environment in ({}, {"NEXUDUS_TOKEN": "", "NEXUDUS_USERNAME": " ", "NEXUDUS_PASSWORD_FILE": ""}):
        assert "NEXUDUS_TOKEN" in sentence(environment)
        assert "NEXUDUS_TOKEN" in sentence(environment, basic=True)


def test_half_given_names_the_other_half():
    """A user name without password, or the other way round, names what is missing."""
    assert sentence({"NEXUDUS_USERNAME": "admin"}).startswith("NEXUDUS_PASSWORD is not set")
    assert sentence({"NEXUDUS_PASSWORD": "p"}).startswith("NEXUDUS_USERNAME is not set")
    assert sentence({"NEXUDUS_USERNAME": "admin", "NEXUDUS_TOKEN": "t"}, basic=True).startswith("NEXUDUS_PASSWORD")


def test_a_token_counts_before_a_password():
    """A token is used where there is one; the user name beside it still tells whose account it is."""
    known = authorization({**PAIR, "NEXUDUS_TOKEN": "abc"})
    assert not known.has_to_sign_in
    assert (known.variables, known.user) == ("NEXUDUS_TOKEN", "admin@example.com")


def test_basic_sends_name_and_password():
    """--auth basic encodes both as UTF-8, even where a token is set."""
    assert header({**PAIR, "NEXUDUS_TOKEN": "abc"}, basic=True) == "Basic QWRtaW5ARXhhbXBsZS5jb206cDRzc3dvcmQ6IMO8"


def test_basic_cannot_send_a_colon_in_a_name():
    """A user name with a colon would be read as another one."""
    assert "colon" in sentence({"NEXUDUS_USERNAME": "a:b", "NEXUDUS_PASSWORD": "p"}, basic=True)


def test_one_user_is_one_account():
    """The user is the same however the name is written; it goes into the journal's key."""
    assert authorization(PAIR).user == "admin@example.com"


@pytest.mark.parametrize("variable", ["NEXUDUS_TOKEN", "NEXUDUS_PASSWORD", "NEXUDUS_USERNAME"])
def test_each_variable_may_name_a_file(tmp_path, variable):
    """…_FILE holds the value, with or without a byte order mark and a line end."""
    (tmp_path / "secret").write_bytes(b"\xef\xbb\xbfs3cretvalue\r\n")
    environment = {**PAIR, f"{variable}_FILE": str(tmp_path / "secret")}
    environment.pop(variable, None)
    known = authorization(environment)
    held = {"NEXUDUS_TOKEN": known.token, "NEXUDUS_PASSWORD": known.password, "NEXUDUS_USERNAME": known.username}
    assert held[variable].get_secret_value() == "s3cretvalue"


def test_a_file_that_cannot_be_used_is_named(tmp_path):
    """A file that is missing, empty, a folder, no text or far too long: the variable and the path are named."""
    files = {"empty": b" \n", "utf16": "s3cret".encode("utf-16"), "long": b"x" * 100_000}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    for name in [*files, "folder", "missing"]:
        said = sentence({"NEXUDUS_TOKEN_FILE": str(tmp_path / name)})
        assert said.startswith(f"NEXUDUS_TOKEN_FILE names {tmp_path / name}, which ")
        assert "s3cret" not in said


def test_the_second_factor_is_computed_when_it_is_asked_for():
    """NEXUDUS_TOTP_SECRET gives the code of this moment, in whatever form the key was shown; NEXUDUS_TOTP is a code."""
    key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    code = authorization({**PAIR, "NEXUDUS_TOTP_SECRET": "gezd gnbv-gy3t qojq gezd gnbv gy3t qojq\n"}).code()
    assert pyotp.TOTP(key).verify(code.get_secret_value(), valid_window=1)
    assert len(authorization({**PAIR, "NEXUDUS_TOTP_SECRET": "JBSWY3DPEHPK3PXP"}).code()) == 6
    assert authorization({**PAIR, "NEXUDUS_TOTP": "123456"}).code().get_secret_value() == "123456"
    assert authorization(PAIR).code() is None
    assert "NEXUDUS_TOTP_SECRET" in sentence({**PAIR, "NEXUDUS_TOTP_SECRET": "not base 32: 0189"})


def test_an_account_names_its_own_variables(tmp_path):
    """The variables of an account's settings count for it, each also as …_FILE, and the default ones do not."""
    (tmp_path / "t").write_text("acme-token\n")
    default = {"NEXUDUS_TOKEN": "not-this-one", **PAIR}
    settings = {"account": "acme", "token_env": "ACME_TOKEN"}
    assert header({**default, "ACME_TOKEN": "acme-token"}, **settings) == "Bearer acme-token"
    assert header({**default, "ACME_TOKEN_FILE": str(tmp_path / "t")}, **settings) == "Bearer acme-token"
    assert sentence(default, **settings).startswith("account 'acme': no credentials: its settings name ACME_TOKEN")
    pair = {"account": "acme", "username_env": "ACME_USER", "password_env": "ACME_PASS"}
    known = authorization({**default, "NEXUDUS_TOTP": "123456", "ACME_USER": "Bo", "ACME_PASS": "pw"}, **pair)
    assert (known.user, known.variables, known.code()) == ("bo", "ACME_USER and ACME_PASS", None)
    assert "ACME_PASS is not set" in sentence({"ACME_USER": "Bo"}, **pair)
    assert "ACME_USER and ACME_PASS" in sentence({}, **pair)


def test_settings_that_name_half_or_the_wrong_half_say_so():
    """An account whose settings cannot work names the setting that is missing."""
    assert "password_env" in sentence({"U": "x"}, account="acme", username_env="U")
    assert "username_env" in sentence({"P": "x"}, account="acme", password_env="P")
    assert "username_env" in sentence({"T": "x"}, account="acme", token_env="T", basic=True)


def test_an_account_without_settings_has_the_default_variables():
    """An account that names no variables uses those of the default one."""
    assert header({"NEXUDUS_TOKEN": "abc"}, account="acme") == "Bearer abc"


def test_credentials_show_nowhere():
    """Neither repr nor str nor a pickle or copy of credentials holds any of them."""
    secrets = ["Admin@Example", "admin@example", "p4ssword", "t0ken-value", "JBSWY3DPEHPK3PXP", "654321", "vault read"]
    every = [
        {"NEXUDUS_TOKEN": "t0ken-value", **PAIR},
        {"NEXUDUS_TOKEN_COMMAND": "vault read t0ken-value", **PAIR},
        {**PAIR, "NEXUDUS_TOTP": "654321", "NEXUDUS_TOTP_SECRET": "JBSWY3DPEHPK3PXP"},
    ]
    for environment in every:
        known = authorization(environment)
        shown = f"{known!r} {known} {known.header!r} {known.code()!r} {vars(type(known))}"
        assert not [secret for secret in secrets if secret in shown]
        for copied in (pickle.dumps, copy.deepcopy):
            with pytest.raises(TypeError):
                copied(known)


@pytest.mark.parametrize(
    "environment",
    [
        {"NEXUDUS_TOKEN": "s3cret with spaces"},
        {"NEXUDUS_USERNAME": "s3cret\n", "NEXUDUS_PASSWORD_FILE": "/nowhere"},
        {"NEXUDUS_USERNAME": "s3\ncret", "NEXUDUS_PASSWORD": "s3cret"},
        {**PAIR, "NEXUDUS_TOTP_SECRET": "s3cret!", "NEXUDUS_PASSWORD": "s3cret"},
        {"NEXUDUS_PASSWORD": "s3cret"},
    ],
)
def test_a_traceback_with_its_variables_shows_no_secret(environment):
    """Not even a traceback that prints local variables, as some terminals do, holds the secret."""
    try:
        authorization(environment)
    except CredentialsError as error:
        # The first frame is that of this test, which has to hold the environment.
        frames = error.__traceback__.tb_next.tb_next
        shown = "".join(traceback.TracebackException(type(error), error, frames, capture_locals=True).format())
        assert "s3cret" not in shown
        assert "authorization_from" in shown
    else:
        pytest.fail("it was taken")
