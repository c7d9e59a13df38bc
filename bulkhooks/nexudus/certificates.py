"""Which authorities are trusted to sign a server's certificate; certificates are always verified.

``SSL_CERT_FILE`` and ``SSL_CERT_DIR``, or else ``REQUESTS_CA_BUNDLE``, name authorities of one's own, which are then
the only ones. With none of them it is the store of the system, where a company puts its own.
"""

from __future__ import annotations

import functools
import os
import ssl
import sys
from pathlib import Path

import truststore

from bulkhooks.errors import UsageError


def trusted() -> ssl.SSLContext:
    """The settings for TLS. Raises ``UsageError`` where a variable names what holds no certificates."""
    named = _named("SSL_CERT_FILE", "SSL_CERT_DIR") or _named("REQUESTS_CA_BUNDLE")
    return _of(*named.items()) if named else _of_the_system()


def _named(*variables: str) -> dict[str, str]:
    return {variable: place for variable in variables if (place := os.environ.get(variable, "").strip())}


@functools.cache
def _of(*named: tuple[str, str]) -> ssl.SSLContext:
    """Read once for all connections, for reading takes longer than a request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for variable, place in named:
        try:
            _load(context, place)
        except OSError as error:
            # OpenSSL's own reason for a file without certificates is no sentence.
            reason = "there is no certificate in it" if isinstance(error, ssl.SSLError) else error.strerror
            raise UsageError(f"{variable} names {place}, which holds no certificates: {reason}") from None
    return context


def _load(context: ssl.SSLContext, place: str) -> None:
    """A file, or folders one after the other as PATH has them."""
    if any(Path(folder).is_dir() for folder in place.split(os.pathsep)):
        context.load_verify_locations(capath=place)
    else:
        context.load_verify_locations(cafile=place)


@functools.cache
def _of_the_system() -> ssl.SSLContext:
    if sys.platform not in {"darwin", "win32"}:
        context = ssl.create_default_context()
        if context.cert_store_stats()["x509_ca"]:
            return context
    # truststore asks macOS and Windows themselves, and knows where a Linux keeps its store that this Python's OpenSSL
    # does not find. There it reads the store for every connection, so it is not the first choice.
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
