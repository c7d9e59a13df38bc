"""What can go wrong, and what may be done about it.

::

    BulkhooksError
    ├── UsageError            the command line, the environment or a job file says something impossible     exit 2
    ├── InputError            a whole input cannot be used; nothing was sent                                exit 2
    ├── OutputError           a place for results cannot be written                                         exit 2
    ├── JournalError          the journal cannot be read or written                                         exit 2
    ├── CredentialsError      there are none, or the API does not take them                                 exit 3
    ├── LockedError           another run holds the account                                                 exit 5
    ├── Stopped               a first signal, before there was anything in flight                           exit 4
    ├── Aborted               a second signal: stopped without waiting for what was in flight               exit 130
    └── ApiError              one request did not end well; its kind alone decides what is done next
        ├── NotSent           the server surely processed nothing: may be sent again
        ├── Throttled         answered "later": may be sent again, after ``retry_after`` seconds
        ├── InDoubt           it may have been processed: look before sending again
        └── Refused           a final answer
            ├── Invalid       400, the API's own validation
            ├── Unauthorized  401
            ├── Forbidden     403
            ├── NotFound      404
            └── Conflict      409 without Retry-After

Every message is a sentence for a person: what, where, and what to do. No secret is ever part of one.
"""

from __future__ import annotations


class BulkhooksError(Exception):
    """Base of everything this package raises on purpose; ``exit_code`` is what a command ends with."""

    exit_code = 2


class UsageError(BulkhooksError):
    """An option, a variable or a key of a job file is wrong."""


class InputError(BulkhooksError):
    """A whole input is unusable (missing, empty, corrupt, protected, no known header)."""


class OutputError(BulkhooksError):
    """Results cannot be written where they were asked for."""


class JournalError(BulkhooksError):
    """The journal is damaged, newer than this program, or on a disk that takes no more."""


class CredentialsError(BulkhooksError):
    """Credentials are missing, or the API turns them away."""

    exit_code = 3


class LockedError(BulkhooksError):
    """Another run of the same account holds the journal's lock."""

    exit_code = 5


class Stopped(BulkhooksError):
    """A signal came while nothing had been sent."""

    exit_code = 4


class Aborted(BulkhooksError):
    """A second signal came; the journal has what was in flight as in doubt."""

    exit_code = 130


class ApiError(BulkhooksError):
    """A request that did not end well. ``http_status`` is None where no status line arrived."""

    error_code = "api-error"

    def __init__(self, message: str, http_status: int | None = None) -> None:
        super().__init__(message)
        self.http_status = http_status


class NotSent(ApiError):
    """No connection, or none in time: nothing left this machine."""

    error_code = "not-sent"


class Throttled(ApiError):
    """Answered with "wait" instead of being processed. ``retry_after`` is in seconds, None where none was named.

    ``alive`` tells whether it counts as a sign of life: a 409 or 429 does, a 503 does not.
    """

    def __init__(self, message: str, http_status: int, retry_after: float | None, *, alive: bool) -> None:
        super().__init__(message, http_status)
        self.retry_after = retry_after
        self.alive = alive


class InDoubt(ApiError):
    """Sent, and no answer that says what became of it."""

    error_code = "in-doubt"


class Refused(ApiError):
    """A final answer: sending the same again would be answered the same."""


class Invalid(Refused):
    """400 with the API's validation errors, each as ``Property: message``."""

    error_code = "api-validation"


class Unauthorized(Refused):
    """401: failed authentication, or a missing permission (NEXUDUS.md, Authentication)."""

    error_code = "api-auth"


class Forbidden(Refused):
    """403."""

    error_code = "api-forbidden"


class NotFound(Refused):
    """404."""

    error_code = "api-not-found"


class Conflict(Refused):
    """409 without Retry-After."""

    error_code = "api-conflict"
