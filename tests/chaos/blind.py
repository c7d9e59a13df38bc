"""A sender that makes the mistake this program is there to avoid: what is not answered, it sends again.

The suite plays it to see that it is caught.
"""

from __future__ import annotations

import csv
import json
import sys
import urllib.request
from http.client import HTTPException
from pathlib import Path

_FIELDS = ("Row", "BusinessId", "ActionId", "URL", "Account", "Status", "WebhookId", "ErrorCode", "Error", "Attempts")


def main() -> None:
    """Take the command line of a run, create every row of its input, write results, summary and exit code."""
    results, base_url = (sys.argv[sys.argv.index(option) + 1] for option in ("-o", "--base-url"))
    with Path(sys.argv[2]).open(newline="") as file:
        rows = [_created(row, base_url) for row in csv.DictReader(file)]
    with Path(results).open("w", newline="") as file:
        writer = csv.DictWriter(file, _FIELDS, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    is_done = all(row["WebhookId"] for row in rows)
    created = sum(row["Status"] == "created" for row in rows)
    counts = {"created": created, "failed": len(rows) - created}
    print(json.dumps({"exit_code": int(not is_done), "counts": counts}))
    sys.exit(int(not is_done))


def _created(row: dict[str, str], base_url: str) -> dict[str, object]:
    fields = {"BusinessId": int(row["BusinessId"]), "Action": int(row["Action"]), "URL": row["URL"], "Name": "blind"}
    request = urllib.request.Request(
        f"{base_url}/api/sys/webhooks", json.dumps(fields).encode(), {"Authorization": "Bearer token-of-default"}
    )
    for _ in range(5):
        try:
            with urllib.request.urlopen(request, timeout=0.5) as answer:
                number = json.loads(answer.read())["Value"]["Id"]
        except (OSError, ValueError, TypeError, EOFError, HTTPException):
            continue
        return {**row, "ActionId": row["Action"], "Status": "created", "WebhookId": number}
    return {**row, "ActionId": row["Action"], "Status": "failed", "WebhookId": "", "ErrorCode": "api-error"}
