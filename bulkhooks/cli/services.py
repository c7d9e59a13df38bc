"""Tells mailboxes and services, through apprise: a process of its own, which its parent kills when time is over.

Addresses hold passwords, so they come by stdin and not by the command line. The answer on stdout is a line for each
address as soon as it is known: its number from 0, and a word of ``WORDS``. Whatever a library logs or a service answers
goes nowhere.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

OK, REFUSED, NO_ADDRESS, MISSING = "ok", "refused", "no-address", "missing"
WORDS = {
    REFUSED: "it could not be told",
    NO_ADDRESS: "it is no address that apprise knows",
    MISSING: "apprise is not installed: pip install 'bulkhooks[notify]'",
}
"""What went wrong with an address."""


def notify_services(
    addresses: Sequence[str], title: str, body: str, *, attach: Sequence[str] = (), failed: bool, timeout: float
) -> list[str]:
    """Tell each address; returns what went wrong with each, '' where all is well.

    ``attach``: files to send along. ``timeout``: seconds for all of them together.
    """
    message = {
        "addresses": list(addresses),
        "title": title,
        "body": body,
        "attach": [str(Path(path).absolute()) for path in attach],
        "type": "failure" if failed else "success",
    }
    found = dict.fromkeys(range(len(addresses)), f"it did not answer within {timeout:g} s")
    for line in _answered(json.dumps(message), timeout).decode("ascii", "replace").splitlines():
        number, _, word = line.partition(" ")
        if number.isdigit() and int(number) in found:
            found[int(number)] = WORDS.get(word, "")
    return list(found.values())


def _answered(message: str, timeout: float) -> bytes:
    # -P: a file in the working directory must not stand in for a module.
    path = os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH"))))
    try:
        done = subprocess.run(  # noqa: S603  # this program itself
            [sys.executable, "-P", "-m", __name__],
            input=message.encode("ascii"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=timeout,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        return error.stdout or b""
    return done.stdout


def main() -> None:
    """Read one message from stdin, and tell each of its addresses, side by side."""
    message = json.load(sys.stdin)
    addresses = message.pop("addresses")
    logging.disable(logging.CRITICAL)
    with ThreadPoolExecutor(max_workers=8) as pool:
        for number, address in enumerate(addresses):
            pool.submit(_answer, number, address, message)


def _answer(number: int, address: str, message: Mapping[str, Any]) -> None:
    try:
        word = _notify(address, message)
    except Exception:  # noqa: BLE001  # whatever a service's plug-in raises
        word = REFUSED
    # In one piece, and at once: when time is over, what is known by then is known to the parent.
    os.write(1, f"{number} {word}\n".encode("ascii"))


def _notify(address: str, message: Mapping[str, Any]) -> str:
    try:
        import apprise
        from apprise.attachment.file import AttachFile
    except ImportError:
        return MISSING
    service = apprise.Apprise()
    if not service.add(address):
        return NO_ADDRESS
    attach = [AttachFile(path, name=Path(path).name) for path in message["attach"]]  # type: ignore[no-untyped-call]
    is_delivered = service.notify(
        body=message["body"], title=message["title"], notify_type=message["type"], attach=attach or None
    )
    return OK if is_delivered else REFUSED


if __name__ == "__main__":
    main()
