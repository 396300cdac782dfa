"""ModSecurity with the OWASP core rule set, asked about the same requests, where it is installed.

Debian: nginx, libnginx-mod-http-modsecurity, modsecurity-crs. An nginx of our own listens on a free port of
127.0.0.1 while the bench runs; blocked is what it answers with 403 (400 is nginx's own refusal, no rule's).
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

MODULE = Path("/usr/lib/nginx/modules/ngx_http_modsecurity_module.so")
SETUP = Path("/etc/modsecurity/crs/crs-setup.conf")
RULES = Path("/usr/share/modsecurity-crs/rules")
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")


NGINX_CONF = """
load_module {module};
pid {folder}/pid;
error_log {folder}/error.log crit;
worker_processes 1;
daemon off;
events {{}}
http {{
  access_log off;
  large_client_header_buffers 8 64k;
  keepalive_requests 1000000;
  client_body_temp_path {folder}/b;
  proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u;
  scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    merge_slashes off;
    modsecurity on;
    modsecurity_rules_file {folder}/waf.conf;
    root {folder};
    location = /page {{}}
    location / {{ try_files /none /page; }}
  }}
}}
"""


class Asked(Protocol):
    """What is asked about."""

    @property
    def target(self) -> str | None: ...
    @property
    def agent(self) -> str | None: ...
    @property
    def referer(self) -> str | None: ...
    @property
    def method(self) -> str | None: ...


@dataclass(frozen=True)
class CoreRules:
    """A running server with the rules at one paranoia level."""

    port: int

    def blocked(self, requests: Sequence[Asked]) -> list[bool]:
        """Whether each request is blocked. A few hundred a second."""
        return [status == 403 for status in self._statuses(requests)]

    def _statuses(self, requests: Sequence[Asked]) -> Iterator[int]:
        connection: socket.socket | None = None
        for request in requests:
            for _ in range(2):  # once more on a fresh connection if the server closed the old one
                try:
                    if connection is None:
                        connection = socket.create_connection(("127.0.0.1", self.port), timeout=5)
                    connection.sendall(_raw(request))
                    status, kept = _answer(connection, has_body=request.method != "HEAD")
                except OSError:
                    status, kept = 0, False
                if not kept and connection is not None:
                    connection.close()
                    connection = None
                if status:
                    break
            yield status


def _raw(request: Asked) -> bytes:
    target = (request.target or "/").encode("utf-8", "surrogateescape")
    # As a client would have sent what the log shows: blanks and control bytes cannot stand in a request line.
    target = b"".join(
        bytes([byte]) if 32 < byte != 127 else b"%%%02x" % byte for byte in target.replace(b'\\"', b'"')
    )
    if not target.startswith((b"/", b"http")):
        target = b"/" + target
    method = (request.method or "GET").encode("ascii", "replace")
    method = method if method in (b"GET", b"HEAD", b"POST", b"OPTIONS") else b"GET"
    lines = [
        method + b" " + target + b" HTTP/1.1",
        b"Host: www.example.org",
        b"Accept: text/html,*/*",
        b"Accept-Language: en",
        b"User-Agent: " + _header(request.agent or "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0"),
    ]
    if request.referer:
        lines.append(b"Referer: " + _header(request.referer))
    if method == b"POST":
        lines.append(b"Content-Length: 0")
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _header(text: str) -> bytes:
    return bytes(b if b >= 32 else 32 for b in text.encode("utf-8", "surrogateescape"))


def _answer(connection: socket.socket, *, has_body: bool) -> tuple[int, bool]:
    """The status of one answer, and whether the connection goes on; 0: none came."""
    got = b""
    while b"\r\n\r\n" not in got:
        part = connection.recv(4096)
        if not part:
            return 0, False
        got += part
    head, _, body = got.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        ),
        0,
    )
    while has_body and len(body) < length:
        part = connection.recv(4096)
        if not part:
            break
        body += part
    return int(head.split(b" ", 2)[1]), b"connection: close" not in head.lower()


def installed() -> bool:
    return NGINX is not None and MODULE.exists() and SETUP.exists()


@contextmanager
def core_rules(paranoia: int) -> Iterator[CoreRules]:
    """The server, while it is needed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "page").write_text("")
        (folder / "waf.conf").write_text(
            "SecRuleEngine On\nSecRequestBodyAccess On\nSecResponseBodyAccess Off\nSecAuditEngine Off\n"
            f"Include {SETUP}\n"
            f'SecAction "id:900000,phase:1,nolog,pass,t:none,setvar:tx.paranoia_level={paranoia},'
            f'setvar:tx.blocking_paranoia_level={paranoia}"\n'
            f"Include {RULES}/*.conf\n"
        )
        (folder / "nginx.conf").write_text(NGINX_CONF.format(module=MODULE, folder=folder, port=port))
        command = [str(NGINX), "-p", name, "-c", str(folder / "nginx.conf"), "-e", str(folder / "start.log")]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _until_open(server, port)
            yield CoreRules(port)
        finally:
            server.terminate()
            server.wait(20)


def _until_open(server: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(300):
        if server.poll() is not None:
            raise RuntimeError(f"nginx ended with {server.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("nginx did not start")
