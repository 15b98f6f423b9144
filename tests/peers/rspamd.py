"""Rspamd: a milter that verifies DKIM, DMARC and ARC for a member's Postfix."""

from __future__ import annotations

import shutil

from tests.peers.milter import Milter

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


class Rspamd(Milter):
    """One Rspamd, which asks one name server, `host:port`.

    It writes what it found into Authentication-Results, under the name of this host.
    """

    def __init__(self, name_server: str) -> None:
        super().__init__()
        self._name_server = name_server

    def configure(self) -> list[str]:
        # The public suffixes, of which Debian's list has no reserved one.
        (self.folder / "suffixes").write_text("example\n")
        config = self.folder / "rspamd.conf"
        config.write_text(
            CONFIG.format(folder=self.folder, port=self.port, server=self._name_server)
        )
        shutil.chown(self.folder, USER, USER)
        return [PROGRAM, "-f", "-u", USER, "-g", USER, "-c", str(config)]
