#!/usr/bin/env bash
# HAProxy 2.6.12 sends no PROXY header in a check whose rules begin with "tcp-check connect".
#
# "check-send-proxy" on a server's line says that health checks begin with a PROXY header. It
# holds where the rules of the check only expect or send. A rule "tcp-check connect", which
# reads like the default written out, replaces the options of the server's line: the check
# connects without the header, a server that requires one never greets, and a healthy server
# stays DOWN. Nothing in the log names the header ("Layer7 timeout at step 2").
#
# The remedy is to leave the rule out, or to write "tcp-check connect default". Seen:
#   no rule:                    b'\r\n\r\n\x00\r\nQUIT\n \x00\x00\x00'
#   tcp-check connect:          b''
#   tcp-check connect default:  b'\r\n\r\n\x00\r\nQUIT\n \x00\x00\x00'
#
# Needs haproxy and Python. Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat >check.py <<'END'
import socket
import subprocess
import sys

CONFIGURATION = """\
defaults
  mode tcp
  timeout connect 1s
  timeout client 1s
  timeout server 1s
listen mail
  bind 127.0.0.1:{front}
  option tcp-check
{rule}  tcp-check expect rstring ^220
  server one 127.0.0.1:{back} send-proxy-v2 check check-send-proxy inter 1s
"""


def first_octets(rule: str) -> bytes:
    """Returns what a check sends before it is greeted."""
    with socket.create_server(("127.0.0.1", 0)) as back:
        with socket.create_server(("127.0.0.1", 0)) as front:
            ports = {"front": front.getsockname()[1], "back": back.getsockname()[1]}
        with open("haproxy.cfg", "w") as file:
            file.write(CONFIGURATION.format(rule=rule, **ports))
        haproxy = subprocess.Popen(
            ["haproxy", "-db", "-f", "haproxy.cfg"], stderr=subprocess.DEVNULL
        )
        try:
            check, _ = back.accept()
            check.settimeout(0.5)
            try:
                return check.recv(100)
            except TimeoutError:
                return b""
        finally:
            haproxy.kill()
            haproxy.wait()


without, connect, default = map(
    first_octets, ("", "  tcp-check connect\n", "  tcp-check connect default\n")
)
print("no rule:                  ", without)
print("tcp-check connect:        ", connect)
print("tcp-check connect default:", default)
sys.exit(not (without == default != b"" and connect == b""))
END
if python3 check.py; then
  echo "As described"
else
  echo "It has changed"
  exit 1
fi
