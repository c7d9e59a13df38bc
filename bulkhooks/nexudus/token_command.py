"""NEXUDUS_TOKEN_COMMAND: a token from a command, such as a password manager's."""

from __future__ import annotations

import subprocess

import anyio
from pydantic import SecretStr

from bulkhooks.errors import CredentialsError
from bulkhooks.nexudus.credentials import bare_token

PATIENCE = 60.0
"""Seconds that the command may take."""


async def printed_token(command: SecretStr, variable: str) -> SecretStr:
    """The token that the command prints. It is run by the shell, as it is written; what it prints is shown nowhere.

    Raises ``CredentialsError`` where it cannot be started, fails, takes too long, or prints no token.
    """
    try:
        with anyio.fail_after(PATIENCE):
            done = await anyio.run_process(
                command.get_secret_value(), check=False, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
    except TimeoutError:
        raise CredentialsError(f"{variable} took longer than {PATIENCE:.0f} s and was stopped") from None
    except OSError as error:
        raise CredentialsError(f"{variable} cannot be started: {error.strerror}") from None
    if done.returncode:
        raise CredentialsError(f"{variable} exits with code {done.returncode}: run it by hand to see why")
    token = bare_token(SecretStr(done.stdout.decode("utf-8", "replace")))
    del done
    if token is None:
        raise CredentialsError(f"{variable} printed no token: it has to print the token and nothing else")
    return token
