"""A line of TCP between a client and a server, which can be cut, kept from coming about again, and held up."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import Self


class Line:
    """Passes on what comes to ``port`` of loopback to the port ``to`` of a server there, and back."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._flows = threading.Event()
        self._flows.set()
        self._refuses = False
        self._guard = threading.Lock()
        self._open: set[socket.socket] = set()
        self._forgotten: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # A thread that waits in accept() is not woken by closing what it waits for.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.refuse()
        self._flows.set()

    def through(self, address: str) -> str:
        """The address of a database, by way of this line."""
        return address.replace(f":{self._to}/", f":{self.port}/")

    def passes(self, piece: bytes) -> None:
        """Something is passed on, in either direction; for who wants to see it."""

    def drop(self) -> None:
        """Cut every connection; both ends find that out at once."""
        with self._guard:
            for end in self._open:
                _reset(end)
            self._open.clear()

    def refuse(self) -> None:
        """Cut every connection, and each new one as it comes."""
        self._refuses = True
        self.drop()

    def forget(self) -> None:
        """Cut every connection at its client's end; the server is told nothing, as where a router forgets it."""
        with self._guard:
            for end in [each for each in self._open if each.getsockname()[1] == self.port]:
                self._forgotten.add(end)
                self._open.discard(end)
                _reset(end)

    def stall(self) -> None:
        """Take new connections, keep the old ones, and pass nothing on."""
        self._flows.clear()

    def go_on(self) -> None:
        """Pass everything on again, what has come meanwhile first."""
        self._refuses = False
        self._flows.set()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        if not self._keep(near):
            return
        self._flows.wait()
        try:
            far = socket.create_connection(("127.0.0.1", self._to))
        except OSError:
            self._end(near)
            return
        if self._keep(far):
            back = threading.Thread(target=self._pump, args=(far, near), daemon=True)
            back.start()
            self._pump(near, far)
            back.join()
            self._end(near)
            self._end(far)

    def _keep(self, end: socket.socket) -> bool:
        with self._guard:
            if self._refuses:
                _reset(end)
            else:
                self._open.add(end)
            return not self._refuses

    def _end(self, end: socket.socket) -> None:
        with self._guard:
            self._open.discard(end)
            end.close()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        is_whole = False
        with contextlib.suppress(OSError):
            while piece := source.recv(65_536):
                self._flows.wait()
                self.passes(piece)
                target.sendall(piece)
            is_whole = True
            self._flows.wait()
        if source in self._forgotten:
            return
        for end in [target] if is_whole else [source, target]:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_WR if is_whole else socket.SHUT_RDWR)


def _reset(end: socket.socket) -> None:
    """Close it, and have the other side told so at once."""
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
    end.close()
