"""Sentences for a person out of what exceptions and answers hold; no query of a URL and no page of HTML is in them."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator

from bulkhooks.redact import without_secrets

LONGEST_SENTENCE = 400
"""Characters."""


def one_line(text: str) -> str:
    """Text from outside as part of a sentence: on one line, its URLs without what may be secret in them."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return without_secrets(line)


def shortened(sentence: str) -> str:
    """A sentence no longer than a person reads. Secrets have to be out of it before: half a secret is not found."""
    return sentence if len(sentence) <= LONGEST_SENTENCE else sentence[: LONGEST_SENTENCE - 1] + "…"


def page_title(content: bytes) -> str | None:
    """The title of a page of HTML, which may be ''; None for anything else."""
    start = content[:65_536].decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    if not re.match(r"<(!doctype\s+html|html|head|body|title|!--)", start, re.IGNORECASE):
        return None
    title = re.search(r"<title[^>]*>([^<]*)", start, re.IGNORECASE)
    return one_line(title[1]) if title else ""


def no_connection(error: Exception, waited: float | None = None) -> str:
    """Why there is no connection; the most telling of the exceptions behind it decides.

    ``waited`` is in seconds, None where it is not the time that was over.
    """
    reasons = filter(None, map(_reason, chain(error)))
    timed_out = "" if waited is None else f"none within {waited:g} s"
    return next(reasons, timed_out or "it was closed while it was being made")


def _reason(cause: BaseException) -> str:
    for kind, sentence in _REASONS.items():
        if isinstance(cause, kind):
            return sentence
    match cause:
        case ssl.SSLCertVerificationError():
            advice = "" if cause.verify_code in _NOT_FOR_ITS_SIGNER else _WHOM_TO_TRUST
            return f"its certificate is not valid ({cause.verify_message}){advice}"
        case ssl.SSLError() if not isinstance(cause, ssl.SSLWantReadError):
            return f"TLS fails ({(cause.reason or 'handshake').replace('_', ' ').lower()}); is it an https address?"
        case OSError(strerror=str(text)) if not isinstance(cause, ssl.SSLError):
            return text.lower()
    return ""


_NOT_FOR_ITS_SIGNER = frozenset({9, 10, 62, 64})
"""OpenSSL's codes for a certificate that is not valid yet, has expired, or is another host's."""

_WHOM_TO_TRUST = "; if an authority of your own has signed it, name the file of its certificate in SSL_CERT_FILE"

_REASONS: dict[type[BaseException], str] = {
    ConnectionRefusedError: "it is refused; is the address right, and is the server running?",
    ConnectionResetError: "it was closed while it was being made",
    socket.gaierror: "its host name is not known",
}


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and all that led to it."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for each in error.exceptions:
                yield from chain(each)
        error = error.__cause__ or error.__context__


def without_frames(error: Exception) -> Exception:
    """The exception and what led to it, without the frames it came through: their variables hold headers and bodies."""
    for each in chain(error):
        each.__traceback__ = None
    return error
