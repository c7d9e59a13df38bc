"""What can go wrong, and what may be done about it.

::

    BulkhooksError
    ├── UsageError            the command line, the environment or a job file is wrong                      exit 2
    ├── InputError            a whole input cannot be used; nothing was sent                                exit 2
    │   └── Unmapped          no header of it is known; it has a proposal what the columns are
    ├── OutputError           a place for results cannot be written                                         exit 2
    ├── JournalError          the journal cannot be read or written                                         exit 2
    ├── CredentialsError      there are none, or the API does not take them                                 exit 3
    ├── LockedError           another run holds the account                                                 exit 5
    ├── Stopped               work that ended early: a first signal, or the time given with --max-runtime      exit 4
    │   ├── GaveUp             the API has answered nothing for too long         (provision/outage.py)       exit 4
    │   └── NextSlotTooFar     the limits allow the next request only much later (provision/limiter.py)      exit 4
    ├── Aborted               a second signal: stopped without waiting for what was in flight               exit 130
    ├── Declined              a person was asked, and said no                                               exit 4
    ├── Incomplete            the journal took no more in the middle of a run   (commands/lifecycle.py)     exit 4
    ├── EngineFailed          no worker can be had                              (engines/engine.py)         exit 4
    ├── WritesClosed          no further write in this run                      (provision/stopping.py)     exit 4
    ├── LookUpIsStale         a look-up that was too long ago              (provision/stopping.py)     never seen
    ├── HeldBack              a write that waits, as the API asked everyone to  (provision/stopping.py)     never seen
    └── ApiError              one request did not succeed; its kind alone decides what is done next
        ├── NotRead           a read that was tried often enough                (provision/stopping.py)
        ├── NotSent           the server surely processed nothing: may be sent again
        ├── Throttled         answered "later": may be sent again, after ``retry_after`` seconds
        ├── InDoubt           it may have been processed: look before sending again
        └── Refused           a final answer
            ├── Invalid       400, the API's own validation
            ├── Unauthorized  401
            ├── Forbidden     403
            ├── NotFound      404
            ├── Conflict      409 without Retry-After
            └── ListingFailed a list that cannot be had whole                   (provision/walk.py)         exit 4

Those with a module in brackets are part of one mechanism and live beside it. The sandbox shares nothing with the
program: its ``SandboxError``, ``Rejected`` and ``Refused`` (sandbox/) are exceptions of its own.

Every message is a sentence for a person: what, where, and what to do. No secret is ever part of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class ErrorCode(StrEnum):
    """Why a row was not sent, or did not end well: the column ErrorCode (bulkhooks/docs/reference.md, Codes)."""

    # Found in the input: the row is invalid and nothing of it is sent.
    MISSING_VALUE = "missing-value"
    BAD_BUSINESS_ID = "bad-business-id"
    UNKNOWN_LOCATION = "unknown-location"
    UNKNOWN_ACTION = "unknown-action"
    BAD_URL = "bad-url"
    BAD_BOOLEAN = "bad-boolean"
    BAD_TEMPLATE = "bad-template"
    FORMULA_ERROR = "formula-error"
    TOO_WIDE = "too-wide"
    UNKNOWN_ACCOUNT = "unknown-account"
    EXTRA_FIELDS = "extra-fields"
    STRAY_QUOTE = "stray-quote"
    # Found while comparing and sending.
    ALREADY_EXISTS = "already-exists"
    API_VALIDATION = "api-validation"
    API_AUTH = "api-auth"
    API_FORBIDDEN = "api-forbidden"
    API_NOT_FOUND = "api-not-found"
    API_CONFLICT = "api-conflict"
    API_ERROR = "api-error"
    IN_DOUBT = "in-doubt"
    NOT_SENT = "not-sent"


class WarningCode(StrEnum):
    """What a person should look at, and what does not stop a row (bulkhooks/docs/reference.md, Codes)."""

    INSECURE_URL = "insecure-url"
    PRIVATE_URL = "private-url"
    NEVER_FIRES = "never-fires"
    ODD_URL = "odd-url"
    NETWORK_LOCATION = "network-location"
    SUSPENDED_LOCATION = "suspended-location"
    TWIN = "twin"
    HIDDEN_ROW = "hidden-row"
    HIDDEN_SHEET = "hidden-sheet"
    UNUSED_COLUMN = "unused-column"
    LEGACY_ENCODING = "legacy-encoding"
    DEFAULTS_ONLY = "defaults-only"
    OTHER_SERVER = "other-server"
    NOT_LISTED = "not-listed"
    ASYNC_STANDBY = "async-standby"


Code = ErrorCode | WarningCode
"""The code of a finding in the input."""


class BulkhooksError(Exception):
    """Base of everything this package raises on purpose; ``exit_code`` is what a command ends with."""

    exit_code = 2


class UsageError(BulkhooksError):
    """An option, a variable or a key of a job file is wrong."""


class InputError(BulkhooksError):
    """A whole input is unusable (missing, empty, corrupt, protected, no known header)."""


class Unmapped(InputError):
    """No header of the input at ``path`` is known. ``columns`` is a proposal: fields by their headers."""

    def __init__(self, message: str, path: str, columns: Mapping[str, str]) -> None:
        super().__init__(message)
        self.path = path
        self.columns = columns


class OutputError(BulkhooksError):
    """Results cannot be written where they were asked for."""


class JournalError(BulkhooksError):
    """The journal is damaged, newer than this program, or on a disk that takes no more."""


class LeaseLost(JournalError):
    """Another run has taken an account over, on a journal that several machines share; nothing more is sent for it."""

    exit_code = 4


class CredentialsError(BulkhooksError):
    """Credentials are missing, or the API turns them away."""

    exit_code = 3


class LockedError(BulkhooksError):
    """Another run of the same account holds the journal's lock."""

    exit_code = 5


class Stopped(BulkhooksError):
    """The work ended before it was done: a first signal, a limit that is far away, an API that does not answer."""

    exit_code = 4


class Declined(BulkhooksError):
    """A person was asked, and said no."""

    exit_code = 4


class Aborted(BulkhooksError):
    """A second signal came; the journal has what was in flight as in doubt."""

    exit_code = 130


class ApiError(BulkhooksError):
    """A request that did not end well. ``http_status`` is None where no status line arrived."""

    error_code: ErrorCode = ErrorCode.API_ERROR

    def __init__(self, message: str, http_status: int | None = None) -> None:
        super().__init__(message)
        self.http_status = http_status


class NotSent(ApiError):
    """No connection, or none in time: nothing left this machine."""

    error_code = ErrorCode.NOT_SENT


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

    error_code = ErrorCode.IN_DOUBT


class Refused(ApiError):
    """A final answer: sending the same again would be answered the same."""


class Invalid(Refused):
    """400 with the API's validation errors, each as ``Property: message``."""

    error_code = ErrorCode.API_VALIDATION


class Unauthorized(Refused):
    """401: failed authentication, or a missing permission (bulkhooks/docs/nexudus.md)."""

    error_code = ErrorCode.API_AUTH


class Forbidden(Refused):
    """403."""

    error_code = ErrorCode.API_FORBIDDEN


class NotFound(Refused):
    """404."""

    error_code = ErrorCode.API_NOT_FOUND


class Conflict(Refused):
    """409 without Retry-After."""

    error_code = ErrorCode.API_CONFLICT
