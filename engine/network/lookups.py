"""Looks names up without blocking the event loop: cached by TTL, and bounded in time.

`engine.network.dns` is for code on threads. These lookups are for what arrives: each
message has a few seconds for all of its names together, however the name servers behave.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any, TypeAlias, cast
from weakref import WeakKeyDictionary

import dns.asyncbackend
import dns.asyncresolver
import dns.exception
import dns.message
import dns.name
import dns.rdatatype
import dns.resolver
from django.conf import settings

from engine.network.dns import EDNS_PAYLOAD, DnsUnavailable, name_server

# Seconds for all lookups of one message together.
SECONDS_IN_ALL = 5.0
# Seconds before another server, or the same one again, is asked.
SECONDS_A_TRY = 1.5
# Seconds for which answers are kept at most, and those that a name does not exist.
LONGEST, LONGEST_NEGATIVE = 3600, 300
# Seconds for which a question that timed out is not asked again: messages of a domain
# whose servers are silent would each wait for all of their time.
SILENCE = 10
CACHED_ANSWERS = 20_000
# Questions on the network at once; each holds a socket. And those that one message sends
# ahead: its sender chooses the names, and must not take the places of others.
AT_ONCE, SENT_AHEAD = 400, 12
# Octets of all records of an answer. A key, a policy or a list of networks is shorter.
MAX_OCTETS = 16_384

# The records of a name as text, none for a name without such records; None for a name
# that does not exist.
Records: TypeAlias = tuple[str, ...] | None
_Question: TypeAlias = tuple[str, str]


class Lookups:
    """The lookups of one message, which share one deadline."""

    def __init__(self, seconds: float | None = None) -> None:
        given = SECONDS_IN_ALL if seconds is None else seconds
        self._until = _time() + given
        self._names = _of_loop()
        self._left = SENT_AHEAD

    def begin(self, name: str, kind: str) -> None:
        """Sends a question ahead, so that several names are looked up at once."""
        if self._left > 0:
            self._left -= 1
            self._names.begin((_key(name), kind))

    async def records(self, name: str, kind: str) -> Records:
        """Returns a name's records. Raises DnsUnavailable."""
        return await self._names.find((_key(name), kind), self._until)


class _Connected:
    """asyncio with connected UDP sockets: a server that is not there is noticed at once,
    and answers from other addresses are not even read."""

    def __init__(self) -> None:
        self._asyncio: Any = dns.asyncbackend.get_backend("asyncio")

    def name(self) -> str:
        return "asyncio"

    def datagram_connection_required(self) -> bool:
        return True

    async def make_socket(self, *given: Any, **named: Any) -> Any:
        return await self._asyncio.make_socket(*given, **named)

    async def sleep(self, interval: float) -> None:
        await asyncio.sleep(interval)


class _Names:
    """What one event loop knows from one set of servers, and is asking them."""

    def __init__(self, servers: tuple[str, ...]) -> None:
        self._resolver = dns.asyncresolver.Resolver(configure=not servers)
        if servers:
            self._resolver.nameservers = [name_server(text) for text in servers]
        self._backend: Any = _Connected()
        self._resolver.timeout = SECONDS_A_TRY
        self._resolver.lifetime = SECONDS_IN_ALL
        self._resolver.use_edns(0, 0, EDNS_PAYLOAD)
        self._known: OrderedDict[_Question, tuple[float, Records | DnsUnavailable]] = (
            OrderedDict()
        )
        self._asked: dict[_Question, asyncio.Task[Records | DnsUnavailable]] = {}
        self._places = asyncio.Semaphore(AT_ONCE)

    def begin(self, question: _Question) -> None:
        """Asks what is not known and not asked already."""
        if question not in self._asked and not self._is_known(question):
            task = asyncio.create_task(self._ask(question))
            self._asked[question] = task
            task.add_done_callback(lambda _: self._asked.pop(question, None))

    async def find(self, question: _Question, until: float) -> Records:
        """Returns what is known, or waits for the answer. Raises DnsUnavailable."""
        if self._is_known(question):
            return _said(self._known[question][1])
        try:
            async with asyncio.timeout_at(until):
                if _time() >= until:
                    raise TimeoutError
                self.begin(question)
                # Shielded: other messages may wait for the same answer.
                return _said(await asyncio.shield(self._asked[question]))
        except TimeoutError as error:
            raise DnsUnavailable(f"{question[1]} of {question[0]}: slow") from error

    def _is_known(self, question: _Question) -> bool:
        known = self._known.get(question)
        return known is not None and known[0] > _time()

    async def _ask(self, question: _Question) -> Records | DnsUnavailable:
        """Asks the servers; returns the error, for a task may have no listener left."""
        try:
            async with asyncio.timeout(SECONDS_IN_ALL):
                await self._places.acquire()
        except TimeoutError:
            # Nothing was asked, so that nothing is known of the servers.
            return DnsUnavailable(f"{question}: too many questions at once")
        try:
            async with asyncio.timeout(SECONDS_IN_ALL):
                found, seconds = await self._answer(*question)
        except (TimeoutError, dns.exception.Timeout) as error:
            found, seconds = DnsUnavailable(f"{question}: {error}"), SILENCE
        except (dns.resolver.NoNameservers, OSError) as error:
            found, seconds = DnsUnavailable(f"{question}: {error}"), 0
        except (dns.exception.DNSException, UnicodeError):
            found, seconds = None, 0  # no name that could exist
        finally:
            self._places.release()
        if seconds > 0:
            self._known[question] = (_time() + seconds, found)
            self._known.move_to_end(question)
            while len(self._known) > CACHED_ANSWERS:
                self._known.popitem(last=False)
        return found

    async def _answer(
        self, name: str, kind: str
    ) -> tuple[Records | DnsUnavailable, float]:
        """Returns the records, and the seconds for which they may be kept."""
        labels = [label.encode() for label in name.split(".")]
        asked = dns.name.Name([*labels, b""])
        try:
            answer = await self._resolver.resolve(
                asked,
                kind,
                search=False,
                raise_on_no_answer=False,
                backend=self._backend,
            )
        except dns.resolver.NXDOMAIN as error:
            said = cast(Any, error).response(asked)
            return None, _negative_seconds(said)
        if answer.rrset is None:
            return (), _negative_seconds(answer.response)
        texts = tuple(_text(record, kind) for record in answer)
        if sum(map(len, texts)) > MAX_OCTETS:
            return (), LONGEST_NEGATIVE
        seconds = answer.response.resolve_chaining().minimum_ttl
        return texts, min(seconds, LONGEST)


def _time() -> float:
    """Returns the seconds of the running loop's clock.

    The loop itself is not kept: `_names` would then never forget it.
    """
    return asyncio.get_running_loop().time()


def _said(outcome: Records | DnsUnavailable) -> Records:
    if isinstance(outcome, DnsUnavailable):
        # A new one: the same would gather the tracebacks of all who raise it.
        raise DnsUnavailable(str(outcome))
    return outcome


def _negative_seconds(response: dns.message.QueryMessage) -> float:
    """Returns the seconds for which a name stays unknown (RFC 2308 §5).

    Without an SOA record an answer is not kept.
    """
    if all(found.rdtype != dns.rdatatype.SOA for found in response.authority):
        return 0
    return min(response.resolve_chaining().minimum_ttl, LONGEST_NEGATIVE)


def _text(record: Any, kind: str) -> str:
    match kind:
        case "TXT":
            # Latin-1 keeps every octet: what is not ASCII is for the parsers to refuse.
            return b"".join(record.strings).decode("latin-1")
        case "MX":
            return f"{record.preference:05} {record.exchange.to_text(True)}"
        case "PTR":
            return str(record.target.to_text(True))
        case _:
            return str(record.address)


def _key(name: str) -> str:
    return name.rstrip(".").lower()


_names: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, ...], _Names]] = (
    WeakKeyDictionary()
)


def _of_loop() -> _Names:
    loop = asyncio.get_running_loop()
    servers = tuple(settings.POSTERN.dns_servers)
    known = _names.setdefault(loop, {})
    if servers not in known:
        known[servers] = _Names(servers)
    return known[servers]
