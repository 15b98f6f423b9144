"""DNS answers that a trusted resolver validated with DNSSEC.

Whether an answer is signed is taken from the AD bit, which an attacker on the way could set.
It counts from one resolver only, POSTERN_VALIDATING_RESOLVER, which is on this host or in
a protected network. Questions run beside each other and share answers, so that the slow
servers of one domain delay no mail to another.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, TypeAlias, cast
from weakref import WeakKeyDictionary

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.resolver
from django.conf import settings

from engine.network.dns import EDNS_PAYLOAD, DnsUnavailable, name_server

# Seconds for one question. A resolver gives up on a domain's servers, and says SERVFAIL,
# after longer than an ordinary stub resolver waits.
SECONDS = 20.0
SECONDS_A_TRY = 8.0
# Seconds for which an answer is kept at most, whatever its TTL, and one that there are no
# such records.
LONGEST, LONGEST_NEGATIVE = 3600, 300
# Seconds for which a question that was not answered is not asked again.
SILENCE = 10
CACHED_ANSWERS = 10_000
AT_ONCE = 400  # questions on the network; each holds a socket

_Question: TypeAlias = tuple[str, str]


class DnssecBogus(DnsUnavailable):
    """The resolver refuses the answer: bogus signatures, or servers out of order.

    The two cannot be told apart for certain (RFC 4035 §5.5 has SERVFAIL for both).
    """


@dataclass(frozen=True, slots=True)
class Answer:
    """The records of a name, none where there are none, and whether that is proved.

    `canonical` is the name at the end of its CNAME records, without a dot at the end.
    """

    records: tuple[Any, ...]
    is_secure: bool
    canonical: str


def is_configured() -> bool:
    """Returns whether there is a resolver whose AD bit is trusted."""
    return bool(settings.POSTERN.validating_resolver)


async def look_up(name: str, kind: str) -> Answer:
    """Returns the trusted resolver's answer. Raises DnsUnavailable, also DnssecBogus."""
    return await _of_loop().find((name.rstrip(".").lower(), kind))


class _Resolver:
    """What one event loop knows from the trusted resolver, and is asking it."""

    def __init__(self, server: str) -> None:
        self._resolver = dns.asyncresolver.Resolver(configure=False)
        self._resolver.nameservers = [name_server(server)]
        self._resolver.timeout = SECONDS_A_TRY
        self._resolver.lifetime = SECONDS
        # RFC 6840 §5.7: AD in a question asks for the AD bit, without the signatures.
        self._resolver.set_flags(dns.flags.RD | dns.flags.AD)
        self._resolver.use_edns(0, 0, EDNS_PAYLOAD)
        self._known: OrderedDict[_Question, tuple[float, Answer | DnsUnavailable]] = (
            OrderedDict()
        )
        self._asked: dict[_Question, asyncio.Task[Answer | DnsUnavailable]] = {}
        self._places = asyncio.Semaphore(AT_ONCE)

    async def find(self, question: _Question) -> Answer:
        """Returns what is known, or waits for the answer. Raises DnsUnavailable."""
        until, found = self._known.get(question, (0.0, None))
        if found is None or until <= _time():
            if question not in self._asked:
                task = asyncio.create_task(self._ask(question))
                self._asked[question] = task
                task.add_done_callback(lambda _: self._asked.pop(question, None))
            # Shielded: other deliveries may wait for the same answer.
            found = await asyncio.shield(self._asked[question])
        if isinstance(found, DnsUnavailable):
            # A new one: the same would gather the tracebacks of all who raise it.
            raise type(found)(str(found))
        return found

    async def _ask(self, question: _Question) -> Answer | DnsUnavailable:
        """Asks the resolver; returns the error, for a task may have no listener left."""
        found: Answer | DnsUnavailable
        try:
            async with asyncio.timeout(SECONDS):
                await self._places.acquire()
        except TimeoutError:
            # Nothing was asked, so that nothing is known of the resolver.
            return DnsUnavailable(f"{question}: too many questions at once")
        try:
            async with asyncio.timeout(SECONDS):
                found, seconds = await self._answer(*question)
        except (TimeoutError, dns.exception.Timeout, OSError) as error:
            found, seconds = DnsUnavailable(f"{question}: {error}"), SILENCE
        except dns.exception.DNSException as error:
            # Servers out of order, and whatever else is wrong with an answer: read as
            # "unsigned", it would switch the protection off.
            found, seconds = DnssecBogus(f"{question}: {error}"), SILENCE
        finally:
            self._places.release()
        if seconds > 0:
            self._known[question] = (_time() + seconds, found)
            self._known.move_to_end(question)
            while len(self._known) > CACHED_ANSWERS:
                self._known.popitem(last=False)
        return found

    async def _answer(self, name: str, kind: str) -> tuple[Answer, float]:
        """Returns the answer, and the seconds for which it may be kept."""
        try:
            asked = dns.name.from_text(f"{name}.")
        except (dns.exception.DNSException, UnicodeError):
            return Answer((), False, name), 0  # no name that could exist
        try:
            found = await self._resolver.resolve(
                asked, kind, search=False, raise_on_no_answer=False
            )
            records, said = tuple(found), found.response
        except dns.resolver.NXDOMAIN as error:
            records, said = (), cast(Any, error).response(asked)
        chain = said.resolve_chaining()
        canonical = chain.canonical_name.to_text(omit_final_dot=True).lower()
        is_secure = bool(said.flags & dns.flags.AD)
        return Answer(records, is_secure, canonical), _seconds(
            said, chain.minimum_ttl, has_records=bool(records)
        )


def _time() -> float:
    """Returns the seconds of the running loop's clock, without keeping the loop."""
    return asyncio.get_running_loop().time()


def _seconds(said: dns.message.QueryMessage, ttl: float, *, has_records: bool) -> float:
    """Returns the seconds for which an answer may be kept (RFC 2308 §5)."""
    if has_records:
        return min(ttl, LONGEST)
    if all(found.rdtype != dns.rdatatype.SOA for found in said.authority):
        return 0
    return min(ttl, LONGEST_NEGATIVE)


_resolvers: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Resolver]] = (
    WeakKeyDictionary()
)


def _of_loop() -> _Resolver:
    server = settings.POSTERN.validating_resolver
    known = _resolvers.setdefault(asyncio.get_running_loop(), {})
    if server not in known:
        known[server] = _Resolver(server)
    return known[server]
