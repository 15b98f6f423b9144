"""A DNS server on loopback for the demo community and for tests."""

from __future__ import annotations

import socketserver
import threading
from collections import defaultdict
from typing import NoReturn, Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

# Seconds. Resolvers cache nothing, so a change is visible immediately.
TTL = 0


class NameServer:
    """Serves the records it was given over UDP; all other names do not exist.

    Answers may be kept for `ttl` seconds. `is_vouched` sets the AD bit, as a DNSSEC-validating resolver does. Names in
    `failing` are answered with SERVFAIL, as by a broken name server.
    """

    def __init__(self, port: int = 0, ttl: int = TTL) -> None:
        self._ttl = ttl
        self._records: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.failing: set[str] = set()
        self.is_vouched = False
        self._server = _Server(("127.0.0.1", port), _Question)
        self._server.names = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def server(self) -> str:
        """Its address and port, in the form of POSTERN_DNS_SERVERS."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self.close()

    def serve(self) -> NoReturn:
        """Answers in this thread for as long as the process lives."""
        while True:
            self._server.handle_request()

    def close(self) -> None:
        """Closes the port. Leaving the context does so too."""
        self._server.server_close()

    def add(self, name: str, kind: str, *data: str) -> None:
        """Adds records in zone file notation: `add("a.example", "MX", "10 b.")`."""
        self._records[name.casefold(), kind] += data

    def add_text(self, name: str, text: str) -> None:
        """Adds a TXT record, split into strings of 255 octets (RFC 7208 §3.3)."""
        pieces = [text[at : at + 255] for at in range(0, len(text), 255)]
        self.add(name, "TXT", " ".join(f'"{piece}"' for piece in pieces))

    def add_alias(self, name: str, target: str) -> None:
        """Adds a CNAME record."""
        self.add(name, "CNAME", f"{target.rstrip('.')}.")

    def remove(self, name: str, kind: str) -> None:
        """Removes a name's records of one type."""
        self._records.pop((name.casefold(), kind), None)

    def answer(self, wire: bytes) -> bytes:
        """Returns the response to a query, both in wire format."""
        query = dns.message.from_wire(wire)
        response = dns.message.make_response(query, recursion_available=True)
        asked = query.question[0]
        name = asked.name.to_text(omit_final_dot=True).casefold()
        kind = dns.rdatatype.to_text(asked.rdtype)
        owner, data = asked.name, self._records.get((name, kind))
        if not data and (alias := self._records.get((name, "CNAME"))):
            # As a resolver does: the alias, and what its target has.
            response.answer.append(
                dns.rrset.from_text_list(owner, self._ttl, "IN", "CNAME", alias)
            )
            owner = dns.name.from_text(alias[0])
            target = owner.to_text(omit_final_dot=True).casefold()
            data = self._records.get((target, kind))
        if name in self.failing:
            response.set_rcode(dns.rcode.SERVFAIL)
        elif data:
            response.answer.append(
                dns.rrset.from_text_list(owner, self._ttl, "IN", asked.rdtype, data)
            )
        elif all(name != known for known, _ in self._records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        if self._ttl and not response.answer:
            # RFC 2308 §3: without an SOA record, an answer that says no is not kept.
            soa = f". . 1 1 1 1 {self._ttl}"
            response.authority.append(
                dns.rrset.from_text(dns.name.root, self._ttl, "IN", "SOA", soa)
            )
        if self.is_vouched:
            response.flags |= dns.flags.AD
        return response.to_wire(max_size=65_000)


class _Server(socketserver.UDPServer):
    names: NameServer


class _Question(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        """Answers one datagram."""
        wire, socket = self.request
        socket.sendto(self.server.names.answer(wire), self.client_address)
