"""A small real HTTP server in the place of an image's own: a script of the standard library alone.

Settings are JSON in MINIK8S_SERVE (see ../launch.py): where to listen, what to answer, how to end.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import mimetypes
import os
import re
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SETTINGS: dict[str, Any] = json.loads(os.environ.pop("MINIK8S_SERVE", "{}"))
_VARIABLE = re.compile(r"\$\{(\w+)\}")
IDLE_SECONDS = 75.0


class Server(ThreadingHTTPServer):
    """Counts requests under way, so that it can end when they are answered."""

    request_queue_size = 128
    daemon_threads = True
    allow_reuse_address = os.name != "nt"
    draining = False

    def __init__(self, address: tuple[str, int]):
        self.busy = 0
        self.changed = threading.Condition()
        super().__init__(address, Handler)

    def count(self, by: int) -> None:
        with self.changed:
            self.busy += by
            self.changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is no news."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    server: Server
    sent: tuple[int, int]

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        self.server.count(1)
        try:
            self.respond()
            self.wfile.flush()
        finally:
            self.server.count(-1)

    def respond(self) -> None:
        path = self.path.partition("?")[0]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, wait = SETTINGS["http"].get(path) or (200, None)
        time.sleep(SETTINGS["latency"] if wait is None else wait)
        kind = "text/plain"
        if path in SETTINGS["http"] and status >= 400:
            data = f"{status}\n".encode()
        elif path in SETTINGS["routes"] or SETTINGS["body"] or SETTINGS["style"] in ("whoami", "echo"):
            data = self.text(path, body)
        elif SETTINGS["root"]:
            found, data, kind = file(path)
            status = status if found == 404 and path in SETTINGS["http"] else found
        else:
            data = b""
        self.answer(status, data, kind)

    def text(self, path: str, body: bytes) -> bytes:
        style = SETTINGS["style"]
        if style not in ("whoami", "echo") or path in SETTINGS["routes"]:
            return self.filled(SETTINGS["routes"].get(path, SETTINGS["body"])).encode()
        lines = [f"{self.command} {self.path} HTTP/1.1", *(f"{k}: {v}" for k, v in self.headers.items())]
        if style == "whoami":
            own = os.environ.get("POD_IP", "")
            lines = [f"Hostname: {host()}", f"IP: {own}", f"RemoteAddr: {self.client()}", *lines]
        else:
            lines = [f"Request served by {host()}", "", *lines]
        return "\n".join([*lines, "", ""]).encode() + body

    def filled(self, text: str) -> str:
        more = {
            "HOSTNAME": host(),
            "IMAGE_TAG": SETTINGS["tag"],
            "CLIENT": self.client(),
            "NOW": datetime.datetime.now(datetime.timezone.utc).isoformat(),  # noqa: UP017
        }
        return _VARIABLE.sub(lambda m: os.environ.get(m[1]) or more.get(m[1], ""), text)

    def client(self) -> str:
        return "{}:{}".format(*self.client_address[:2])

    def answer(self, status: int, data: bytes, kind: str) -> None:
        if SETTINGS["style"] == "nginx":
            agent, stamp = self.headers.get("User-Agent", "-"), time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
            say(f'{self.client_address[0]} - - [{stamp}] "{self.requestline}" {status} {len(data)} "-" "{agent}" "-"')
        self.send_response_only(status)
        self.send_header("Server", SETTINGS["style"] or "minik8s")
        self.send_header("Date", self.date_time_string())
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if self.server.draining:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def file(path: str) -> tuple[int, bytes, str]:
    """A file under the root, or a folder's index.html: status, bytes, type."""
    root = Path(SETTINGS["root"])
    place = Path(os.path.normpath(str(root) + "/" + path.lstrip("/")))
    if place != root and root not in place.parents:
        return 404, b"404 Not Found\n", "text/plain"
    if place.is_dir():
        place = place / "index.html"
        if not place.is_file():
            return 403, b"403 Forbidden\n", "text/plain"
    try:
        return 200, place.read_bytes(), mimetypes.guess_type(place.name)[0] or "application/octet-stream"
    except OSError:
        return 404, b"404 Not Found\n", "text/plain"


def host() -> str:
    return os.environ.get("HOSTNAME", "")


def say(line: str) -> None:
    with contextlib.suppress(OSError):
        print(line, flush=True)


def end(server: Server | None) -> None:
    """As `term` says: drain, exit, exit:CODE or ignore."""
    word, _, code = SETTINGS["term"].partition(":")
    if word == "ignore":
        return
    if word == "drain" and server is not None:
        server.draining = True
        server.shutdown()
        server.server_close()
        with server.changed:
            server.changed.wait_for(lambda: server.busy == 0)
        code = "0"
    sys.stdout.flush()
    os._exit(int(code) if code.isdigit() else 143)


def main() -> None:
    argv = sys.argv[1:]
    if SETTINGS["style"] == "nginx" and "-v" in argv:
        print(f"nginx version: nginx/{os.environ.get('NGINX_VERSION', '')}", file=sys.stderr)
        return
    asked = threading.Event()
    for name in ("SIGTERM", "SIGINT", "SIGQUIT", "SIGWINCH"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda number, frame: asked.set())
    for line in SETTINGS["logs"]:
        say(line)
        time.sleep(SETTINGS["log_every"])
    asked.wait(SETTINGS["ready_after"])
    server = None
    if SETTINGS["port"]:
        try:
            server = Server((SETTINGS["address"], SETTINGS["real"]))
        except OSError as error:
            where = f"0.0.0.0:{SETTINGS['port']}"
            print(f"bind() to {where} failed ({error.errno}: {os.strerror(error.errno or 0)})", file=sys.stderr)
            sys.exit(1)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    limit = SETTINGS["exit_after"]
    while True:
        if not asked.wait(limit) and limit is not None:
            sys.stdout.flush()
            os._exit(SETTINGS["exit_code"])
        end(server)
        asked.clear()


if __name__ == "__main__":
    main()
