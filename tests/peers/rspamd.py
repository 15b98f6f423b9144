"""Rspamd: a milter that verifies DKIM, DMARC and ARC for a member's Postfix."""

from __future__ import annotations

import shutil
from typing import Self

from tests.peers.process import Daemon, answers, free_port, open_folder, remove_folder

PROGRAM = "/usr/bin/rspamd"
USER = "_rspamd"
# Nothing but the verifiers, and the header that says what they found. DMARC looks at
# nothing before SPF has been looked at. The header removes all others of its name.
CONFIG = """\
options {{
  pidfile = "{folder}/rspamd.pid";
  filters = "dkim";
  cache_file = "{folder}/symbols.cache";
  dynamic_conf = "{folder}/dynamic";
  history_file = "{folder}/history";
  hs_cache_dir = "{folder}/";
  control_socket = "{folder}/rspamd.sock mode=0600";
  url_tld = "{folder}/suffixes";
  tempdir = "{folder}";
  dns {{ nameserver = ["{server}"]; timeout = 5s; }}
  # No network is local: mail from loopback is verified too.
  local_addrs = [];
  explicit_modules = [];
}}
logging {{ type = "console"; level = "info"; }}
modules {{ path = "/usr/share/rspamd/plugins/"; }}
worker "rspamd_proxy" {{
  bind_socket = "127.0.0.1:{port}";
  milter = yes;
  timeout = 120s;
  count = 1;
  upstream "local" {{ default = yes; self_scan = yes; }}
}}
dkim {{ check_local = true; }}
arc {{ sign_inbound = false; sign_local = false; }}
spf {{ check_local = true; }}
dmarc {{ check_local = true; }}
milter_headers {{
  use = ["authentication-results"];
  skip_local = false;
  skip_authenticated = false;
  authenticated_headers = ["authentication-results"];
}}
"""


class Rspamd:
    """One Rspamd, which asks one name server, `host:port`.

    It writes what it found into Authentication-Results, under the name of this host.
    """

    def __init__(self, name_server: str) -> None:
        self._name_server = name_server
        self.port = free_port()
        self.folder = open_folder()
        self._daemon: Daemon | None = None

    @property
    def milter(self) -> str:
        """Its address, as Postfix's smtpd_milters names it."""
        return f"inet:127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        # The public suffixes, of which Debian's list has no reserved one.
        (self.folder / "suffixes").write_text("example\n")
        config = self.folder / "rspamd.conf"
        config.write_text(
            CONFIG.format(folder=self.folder, port=self.port, server=self._name_server)
        )
        shutil.chown(self.folder, USER, USER)
        command = [PROGRAM, "-f", "-u", USER, "-g", USER, "-c", str(config)]
        self._daemon = Daemon(command, self.folder / "rspamd.log")
        self._daemon.wait_for(lambda: answers(self.port))
        return self

    def __exit__(self, *error: object) -> None:
        if self._daemon is not None:
            self._daemon.stop()
        remove_folder(self.folder)

    def log(self) -> str:
        return (self.folder / "rspamd.log").read_text(errors="replace")
