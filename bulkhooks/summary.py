"""What a run says of itself when it is over: the value behind ``--json``, the closing lines and the Summary sheet."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

EXIT_CODES = {"ok": 0, "failures": 1, "input-error": 2, "auth-error": 3, "incomplete": 4, "locked": 5}
"""Exit code of each ``Summary.status`` (INTERFACE.md, section 7)."""


@dataclass(slots=True)
class ErrorCount:
    """One error code of a run: how often, and one sentence as an example."""

    code: str
    count: int
    example: str


@dataclass(slots=True)
class Summary:
    """One run. Times are UTC in ISO 8601, ``seconds`` is wall time, ``counts`` holds rows by status.

    ``remaining`` is the number of rows left ``pending``; ``resume_at`` the moment from which the limits let the job go
    on, None where nothing waits for it.
    """

    run_id: str
    status: str = "ok"
    exit_code: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    total: int = 0
    writes: int = 0
    requests: int = 0
    throttled: int = 0
    retried: int = 0
    started_at: str = ""
    finished_at: str = ""
    seconds: float = 0.0
    remaining: int = 0
    resume_at: str | None = None
    outputs: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    errors: list[ErrorCount] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """The JSON object of section 7, keys in its order."""
        return asdict(self)
