"""The webhooks that the sandbox holds, and the file from which a restarted one has them again.

The state file is a journal of JSON lines: each change is one appended line, handed to the system before the request is
answered, so it outlives a killed process. Opening it writes it anew, without what is overwritten or deleted.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

Record = dict[str, Any]
"""A webhook with the API's own field names (bulkhooks/docs/nexudus.md)."""

USER = "admin@example.com"
_FORMAT = {"bulkhooks-sandbox": 1}


class SandboxError(Exception):
    """The sandbox cannot start; the message is a sentence for a person."""


class Store:
    """Webhooks by id, in the order of their ids. ``failures`` counts each one's deliveries that failed in a row."""

    def __init__(self, state: Path | None = None, ids_from: int = 1) -> None:
        self._records: dict[int, Record] = {}
        self._at: dict[int, dict[int, Record]] = {}
        self._next_id = ids_from
        self.failures: Counter[int] = Counter()
        self._state = _State(state) if state else None
        if self._state:
            for line in self._state.lines():
                self._replay(line)
            self._records = dict(sorted(self._records.items()))
            self._state.rewrite([{"next": self._next_id}, *map(self._line, self._records)])

    def close(self) -> None:
        """Let go of the state file."""
        if self._state:
            self._state.close()

    def __len__(self) -> int:
        return len(self._records)

    def get(self, webhook_id: int) -> Record | None:
        return self._records.get(webhook_id)

    def all(self) -> Collection[Record]:
        """Every webhook, the lowest id first."""
        return self._records.values()

    def at(self, business_id: int) -> list[Record]:
        """The webhooks of one location, the lowest id first."""
        records = self._at.get(business_id, {})
        return [records[webhook_id] for webhook_id in sorted(records)]

    def create(self, fields: Mapping[str, Any]) -> Record:
        """Store a new webhook; ``fields`` are the six that a client may write."""
        webhook_id, now = self._next_id, timestamp()
        record: Record = {
            **fields,
            "LastError": None,
            "ErrorCount": 0,
            "LastTrigger": None,
            "Id": webhook_id,
            "UniqueId": str(uuid.uuid5(uuid.NAMESPACE_OID, f"webhook {webhook_id}")),
            "CreatedOn": now,
            "UpdatedOn": now,
            "UpdatedBy": USER,
            "IsNew": False,
            "SystemId": None,
        }
        self._put(record)
        self._keep(self._line(webhook_id))
        return record

    def update(self, webhook_id: int, fields: Mapping[str, Any]) -> Record:
        """Change fields of a webhook. Switching it on wipes its errors from the count."""
        before = self._records[webhook_id]
        record = {**before, **fields}
        if record["Active"] and not before["Active"]:
            record["ErrorCount"] = 0
            self.failures[webhook_id] = 0
        self._put(record)
        self._keep(self._line(webhook_id))
        return record

    def delete(self, webhook_id: int) -> None:
        self._remove(webhook_id)
        self._keep({"deleted": webhook_id})

    def failed(self, webhook_id: int, error: str, most: int) -> None:
        """Write down a delivery that failed; ``most`` in a row switch the webhook off."""
        self.failures[webhook_id] += 1
        changes: Record = {"LastError": error, "ErrorCount": self._records[webhook_id]["ErrorCount"] + 1}
        if self.failures[webhook_id] >= most:
            changes["Active"] = False
        self.update(webhook_id, changes)

    def succeeded(self, webhook_id: int) -> None:
        """A delivery arrived: failures before it are no longer in a row with those to come."""
        if self.failures[webhook_id]:
            self.failures[webhook_id] = 0
            self._keep(self._line(webhook_id))

    def repeats(self) -> int:
        """How many webhooks have location, action and URL of one with a lower id."""
        return len(self) - len({(record["BusinessId"], record["Action"], record["URL"]) for record in self.all()})

    def _put(self, record: Record) -> None:
        webhook_id = record["Id"]
        if before := self._records.get(webhook_id):
            del self._at[before["BusinessId"]][webhook_id]
        self._records[webhook_id] = self._at.setdefault(record["BusinessId"], {})[webhook_id] = record
        self._next_id = max(self._next_id, webhook_id + 1)

    def _remove(self, webhook_id: int) -> None:
        if record := self._records.pop(webhook_id, None):
            del self._at[record["BusinessId"]][webhook_id]
            del self.failures[webhook_id]

    def _line(self, webhook_id: int) -> Record:
        return {"record": self._records[webhook_id], "failures": self.failures[webhook_id]}

    def _keep(self, line: Record) -> None:
        if self._state:
            self._state.append(line)

    def _replay(self, line: Record) -> None:
        if "record" in line:
            self._put(line["record"])
            self.failures[line["record"]["Id"]] = line["failures"]
        elif "deleted" in line:
            self._remove(line["deleted"])
        self._next_id = max(self._next_id, line.get("next", 0))


class _State:
    """The file of JSON lines, held by one sandbox at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: FileIO | None = None
        self._lock = FileLock(f"{path}.lock", timeout=0)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout:
            raise SandboxError(
                f"the state file {path} is in use by another sandbox: stop it, or name another file"
            ) from None
        except OSError as error:
            raise SandboxError(f"the state file {path} cannot be used: {error.strerror or error}") from None

    def lines(self) -> list[Record]:
        """What earlier sandboxes wrote; a line that a crash cut short is left out."""
        try:
            content = self._path.read_bytes() if self._path.exists() else b""
        except OSError as error:
            self.close()
            raise SandboxError(f"the state file {self._path} cannot be read: {error.strerror or error}") from None
        first, *rest = content.split(b"\n")[:-1] or [b""]
        try:
            if content and json.loads(first) != _FORMAT:
                raise ValueError("another format")
            return [json.loads(line) for line in rest]
        except ValueError:
            self.close()
            raise SandboxError(
                f"{self._path} is not a state file of the sandbox: name another file; this one was left as it is"
            ) from None

    def rewrite(self, lines: list[Record]) -> None:
        beside = self._path.with_name(self._path.name + ".new")
        try:
            beside.write_bytes(b"".join(map(_encoded, [_FORMAT, *lines])))
            beside.replace(self._path)
            self._file = FileIO(self._path, "a")
        except OSError as error:
            self.close()
            raise SandboxError(f"the state file {self._path} cannot be written: {error.strerror or error}") from None

    def append(self, line: Record) -> None:
        if self._file:
            self._file.write(_encoded(line))

    def close(self) -> None:
        if self._file:
            self._file.close()
        self._lock.release()


def _encoded(line: Mapping[str, Any]) -> bytes:
    return json.dumps(line).encode("ascii") + b"\n"


def timestamp() -> str:
    """Now, in ISO 8601 as the API writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
