"""HAProxy in front of several hosts: mail passed through with PROXY headers, the site by HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from portal.demo.certificates import Certificate
from tests.peers.process import Daemon, answers, free_port, open_folder, remove_folder

# Seconds between two checks of a host, and how many of them must fail in a row. A check
# of a host that does not answer takes CHECK_TIMEOUT.
CHECK_EVERY, CHECK_FAILURES, CHECK_TIMEOUT = 1, 2, 2
# How long a host may be dead until it gets no more connections, and those that it has are
# closed: the time of a check that has just begun, and of each that fails.
CHECK_SECONDS = (CHECK_FAILURES + 1) * max(CHECK_EVERY, CHECK_TIMEOUT)

# SMTP ports whose greeting comes in clear, so that a check can read it.
GREETED = {"smtp": "220", "submission": "220", "pop3": "\\+OK"}
TLS_AT_ONCE = ("submissions", "pop3s")

HEAD = f"""\
global
  maxconn 4000
  log stderr local0 notice
defaults
  log global
  mode tcp
  balance roundrobin
  retries 2
  option redispatch 1
  timeout connect 2s
  timeout client 5m
  timeout server 5m
  timeout check {CHECK_TIMEOUT}s
  default-server inter {CHECK_EVERY}s fall {CHECK_FAILURES} rise 2 on-marked-down shutdown-sessions
"""
MAIL = """\
listen {name}
  bind {host}:{port}
  option tcp-check
{expect}{servers}"""
SITE = """\
listen web
  mode http
  bind {host}:{port} ssl crt {pem}
  timeout client 1m
  timeout server 1m
  option forwardfor
  http-request set-header X-Forwarded-Proto https
  option httpchk
  http-check send meth GET uri /health/ready ver HTTP/1.1 hdr Host {site} hdr X-Forwarded-Proto https
  http-check expect status 200
{servers}"""


@dataclass(frozen=True)
class Backend:
    """One host behind the balancer."""

    name: str
    address: str
    ports: Mapping[str, int]


class HAProxy:
    """Balances the mail ports with PROXY version 2, and the site, whose TLS ends here."""

    def __init__(
        self,
        backends: Sequence[Backend],
        certificate: Certificate,
        *,
        host: str = "127.0.0.1",
        site: str = "localhost",
        web_port: int | None = None,
    ) -> None:
        self.host = host
        mail = {name: free_port() for name in (*GREETED, *TLS_AT_ONCE)}
        self.ports = {"web": web_port or free_port(), **mail}
        self.folder = open_folder()
        self._backends, self._certificate, self._site = backends, certificate, site

    def __enter__(self) -> Self:
        pem = self.folder / "site.pem"
        own = self._certificate
        pem.write_bytes(own.cert_file.read_bytes() + own.key_file.read_bytes())
        config = self.folder / "haproxy.cfg"
        config.write_text(
            "".join([HEAD, *map(self._mail, self._mail_ports()), self._web(pem)])
        )
        self._daemon = Daemon(["haproxy", "-db", "-f", str(config)], self.log_file)
        self._daemon.wait_for(lambda: answers(self.ports["pop3s"]))
        return self

    def __exit__(self, *_: object) -> None:
        self._daemon.stop()
        remove_folder(self.folder)

    @property
    def log_file(self) -> Path:
        return self.folder / "haproxy.log"

    def _mail_ports(self) -> list[str]:
        return [name for name in self.ports if name != "web"]

    def _mail(self, name: str) -> str:
        expected = GREETED.get(name)
        expect = f"  tcp-check expect rstring ^{expected}\n" if expected else ""
        servers = self._servers(name, "send-proxy-v2 check check-send-proxy")
        return MAIL.format(
            name=name,
            host=self.host,
            port=self.ports[name],
            expect=expect,
            servers=servers,
        )

    def _web(self, pem: Path) -> str:
        return SITE.format(
            host=self.host,
            port=self.ports["web"],
            pem=pem,
            site=self._site,
            servers=self._servers("web", "check"),
        )

    def _servers(self, port: str, options: str) -> str:
        return "".join(
            f"  server {one.name} {one.address}:{one.ports[port]} {options}\n"
            for one in self._backends
        )


class Passthrough:
    """Passes connections to one port on, with PROXY headers of version 1 and of version 2.

    `ports` are HAProxy's own, by version.
    """

    def __init__(self, port: int, *, host: str = "127.0.0.1") -> None:
        self.ports = {1: free_port(), 2: free_port()}
        self.folder = open_folder()
        self._port, self._host = port, host

    def __enter__(self) -> Self:
        config = self.folder / "haproxy.cfg"
        config.write_text(HEAD + "".join(map(self._listen, self.ports)))
        command = ["haproxy", "-db", "-f", str(config)]
        self._daemon = Daemon(command, self.folder / "haproxy.log")
        self._daemon.wait_for(lambda: all(map(answers, self.ports.values())))
        return self

    def __exit__(self, *_: object) -> None:
        self._daemon.stop()
        remove_folder(self.folder)

    def _listen(self, version: int) -> str:
        sends = "send-proxy-v2" if version == 2 else "send-proxy"
        return (
            f"listen version{version}\n  bind {self._host}:{self.ports[version]}\n"
            f"  server one {self._host}:{self._port} {sends}\n"
        )
