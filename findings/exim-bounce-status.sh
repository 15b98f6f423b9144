#!/usr/bin/env bash
# Exim 4.96 (Debian's 4.96-15+deb12u11) writes "Status: 5.0.0" into every bounce, whatever
# the other server answered.
#
# RFC 3464 §2.3.4 has programs read the reason of a failure from the field Status, in the
# codes of RFC 3463: 5.1.1 is an unknown person, 5.2.2 a full mailbox, 5.7.1 a refusal by
# policy. Exim quotes the server's reply, which begins with such a code, in
# Diagnostic-Code and in the text, but the field itself is a constant in its source. A
# program that removes dead addresses from a list by Status finds none in Exim's bounces.
#
# The remedy is to read the code in Diagnostic-Code where Status ends in 0.0. Seen on
# Debian 12, amd64, as root, which Exim has to be to deliver:
#   Status: 5.0.0
#   Diagnostic-Code: smtp; 550 5.1.1 No such person here
#
# Exits with 1 if that changes.
set -euo pipefail

folder=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
# Exim delivers as another user, and loads what its package depends on.
chmod 755 .
mkdir -p root spool packages
(cd packages && apt-get -qq download exim4-daemon-light=4.96-15+deb12u11 \
  libdb5.3 libgnutls-dane0 libunbound8 libevent-2.1-7 libidn12 libnsl2 libtirpc3 \
  libnss-wrapper 2>/dev/null)
for package in packages/*.deb; do dpkg-deb -x "$package" root; done
install -m 755 root/usr/sbin/exim4 exim
# It wants a user Debian-exim to exist, which is made for it alone.
LD_LIBRARY_PATH=$(echo "$folder"/root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH NSS_WRAPPER_PASSWD="$folder/passwd" NSS_WRAPPER_GROUP=/etc/group
{ cat /etc/passwd; echo "Debian-exim:x:65533:65534::/:/usr/sbin/nologin"; } >passwd
chown nobody:nogroup spool

# A mail server that knows nobody, on a port that the system chooses.
"${PYTHON:-python3}" - <<'END' &
import socketserver

REPLIES = {
    b"EHLO": b"250-mail.firm.example\r\n250 ENHANCEDSTATUSCODES\r\n",
    b"RCPT": b"550 5.1.1 No such person here\r\n",
    b"DATA": b"503 5.5.1 No recipient\r\n",
    b"QUIT": b"221 2.0.0 Bye\r\n",
}


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 mail.firm.example ESMTP\r\n")
        for line in self.rfile:
            verb = line[:4].upper()
            self.wfile.write(REPLIES.get(verb, b"250 2.0.0 OK\r\n"))
            if verb == b"QUIT":
                return


with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
    with open("port.part", "w") as file:
        file.write(str(server.server_address[1]))
    __import__("os").rename("port.part", "port")
    server.serve_forever()
END
server=$!
for _ in $(seq 100); do [[ -e port ]] || sleep 0.1; done

cat >exim.conf <<END
exim_path = $folder/exim
exim_user = nobody
exim_group = nogroup
primary_hostname = mail.court.example
qualify_domain = court.example
domainlist local_domains = court.example
spool_directory = $folder/spool
log_file_path = $folder/spool/%slog
keep_environment = LD_LIBRARY_PATH : LD_PRELOAD : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP

begin routers
court:
  driver = accept
  domains = +local_domains
  transport = file
firm:
  driver = manualroute
  route_list = * 127.0.0.1 byname
  self = send
  transport = firm

begin transports
file:
  driver = appendfile
  file = $folder/spool/bounce
  user = nobody
firm:
  driver = smtp
  port = $(cat port)
  allow_localhost = true
END
LD_PRELOAD=libnss_wrapper.so ./exim -C "$folder/exim.conf" -odi -i \
  -f jane@court.example -- ben@firm.example 2>/dev/null <<'END'
From: jane@court.example
To: ben@firm.example
Subject: Listing

At ten.
END
for _ in $(seq 100); do [[ -e spool/bounce ]] || sleep 0.1; done

grep -E '^(Status|Diagnostic-Code):' spool/bounce | tee seen
if diff seen - <<'END'
Status: 5.0.0
Diagnostic-Code: smtp; 550 5.1.1 No such person here
END
then
  echo "As described"
else
  echo "It has changed"
  exit 1
fi
