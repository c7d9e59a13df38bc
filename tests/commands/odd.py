"""A Nexudus over real HTTP whose answers a test bends, byte by byte, and a job that runs against it."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from bulkhooks import Job

URL = "https://hooks.example.com/in"


class OddServer:
    """Webhooks by id. ``bend(server, ask, status, body)`` may give another ``(status, bytes)`` in place of an answer
    (None: hang up, after it was done); ``ask`` has ``method, path, query, number`` (of the request, from 1).

    ``page_size`` is the largest page, ``lag`` the number of newest webhooks that a search does not show.
    """

    def __init__(self, bend=None, *, page_size=500, lag=0):
        self.bend, self.page_size, self.lag = bend, page_size, lag
        self.webhooks, self.log, self.last_id = {}, [], 100
        self._lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            server_version = "odd"

            def log_message(self, *_):
                pass

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answer = odd.answer(self.command, self.path, body)
                if answer is None:
                    self.close_connection = True
                    return
                status, content = answer
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - the names of http.server

        odd = self
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def add(self, business_id=1001, action=6, url=URL, **fields):
        """A webhook that somebody made; returns its id."""
        with self._lock:
            self.last_id += 1
            self.webhooks[self.last_id] = {
                "Id": self.last_id, "BusinessId": business_id, "Action": action, "URL": url, "Name": "theirs",
                "Active": True, "ErrorCount": 0, **fields,
            }  # fmt: skip
            return self.last_id

    def fill(self, business_ids):
        """One webhook at each location."""
        return [self.add(number) for number in business_ids]

    def count(self, method, path="/api/sys/webhooks"):
        return sum(ask.method == method and ask.path.startswith(path) for ask in self.log)

    def stored(self):
        """(location, event, URL) of every webhook, in order."""
        return sorted((each["BusinessId"], each["Action"], each["URL"]) for each in self.webhooks.values())

    def answer(self, method, target, body):
        parts = urlsplit(target)
        with self._lock:
            ask = Ask(method, parts.path, dict(parse_qsl(parts.query)), len(self.log) + 1)
            self.log.append(ask)
        status, said = self._usual(ask, json.loads(body) if body[:1] == b"{" else {})
        content = json.dumps(said).encode()
        return self.bend(self, ask, status, content) if self.bend else (status, content)

    def _usual(self, ask, fields):
        number = re.search(r"/(\d+)$", ask.path)
        if ask.method == "POST":
            more = {name: value for name, value in fields.items() if name not in {"BusinessId", "Action", "URL"}}
            return 200, written(self.add(fields["BusinessId"], fields["Action"], fields["URL"], **more))
        if ask.method == "PUT":
            self.webhooks[fields["Id"]] = fields
            return 200, written(fields["Id"])
        if number:
            record = self.webhooks.get(int(number[1]))
            if record is None:
                return 404, {"Message": "Not found", "WasSuccessful": False}
            if ask.method == "DELETE":
                del self.webhooks[record["Id"]]
                return 200, written(record["Id"])
            return 200, record
        return 200, self.page(ask)

    def page(self, ask):
        """A page of the search, in the order that is asked for."""
        found = sorted(self.webhooks.values(), key=lambda each: each["Id"], reverse=ask.query.get("orderBy") != "Id")
        found = found[: len(found) - self.lag] if self.lag else found
        for name, field in (("WebHook_Business", "BusinessId"), ("WebHook_Action", "Action")):
            found = [each for each in found if str(each[field]) == ask.query.get(name, str(each[field]))]
        page, size = int(ask.query["page"]), min(int(ask.query["size"]), self.page_size)
        pages = -(-len(found) // size)
        return {
            "Records": found[(page - 1) * size : page * size], "CurrentPage": page, "CurrentPageSize": size,
            "TotalItems": len(found), "TotalPages": pages, "HasNextPage": page < pages,
        }  # fmt: skip


class Ask:
    """A request that came."""

    def __init__(self, method, path, query, number):
        self.method, self.path, self.query, self.number = method, path, query, number

    @property
    def is_search(self):
        return self.method == "GET" and self.path.endswith("/webhooks")


def written(webhook_id):
    return {"Status": 200, "Value": {"Id": webhook_id}, "Errors": None, "WasSuccessful": True}


def job_at(tmp_path, server, business_ids, **more):
    """A job without limits that wants one webhook at each location."""
    path = tmp_path / "hooks.csv"
    path.write_text("BusinessId,Action,URL\n" + "".join(f"{number},6,{URL}\n" for number in business_ids))
    environment = {"NEXUDUS_TOKEN": "token-of-tests", "NEXUDUS_BASE_URL": server.address}
    settings = {"output": tmp_path / "out.csv", "journal": tmp_path / "journal.db", "settle": 0.05, "rate": "none"}
    return Job(**{"input": path, "request_rate": "none", "environment": environment, **settings, **more})
