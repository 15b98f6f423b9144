"""Honours the MTA-STS policies that bind a parcel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.mail.address import Address
from engine.routing.routes import ConnectionFacts
from engine.transport.connection_errors import NOT_IN_ITS_POLICY
from engine.transport.next_hop import Hop
from engine.transport.parcel import (
    Cause,
    Outcome,
    OutcomeState,
    Parcel,
    ParcelRecipient,
    answer,
)
from engine.transport.sts_policies import Binding
from engine.transport.sts_policy import Mode
from engine.transport.tls_attempts import PolicyType, ResultType, TlsAttempt


@dataclass(frozen=True, slots=True)
class Binder:
    """The policies that bind one parcel on its way to a next hop."""

    hop: Hop
    bindings: tuple[Binding, ...]

    @classmethod
    def of(cls, parcel: Parcel, hop: Hop) -> Binder:
        """Returns the policies of domains whose MX records name the next hop."""
        host = hop.host.lower().rstrip(".")
        if hop.tls_name.lower().rstrip(".") != host:
            return cls(hop, ())
        bound = [one for one in parcel.sts if host in one.exchangers]
        return cls(hop, tuple(bound))

    def only(
        self, recipients: Sequence[ParcelRecipient], facts: ConnectionFacts
    ) -> Binder:
        """Returns the policies of these recipients' domains."""
        named = {_member_domain(one.address, facts) for one in recipients}
        return Binder(
            self.hop, tuple(one for one in self.bindings if one.domain in named)
        )

    def divide(
        self, recipients: Sequence[ParcelRecipient], facts: ConnectionFacts
    ) -> tuple[list[ParcelRecipient], list[ParcelRecipient]]:
        """Returns the recipients that may be sent, and those that a policy forbids."""
        forbidding = {
            one.domain
            for one in self.bindings
            if one.policy.mode is Mode.ENFORCE and not one.policy.lists(self.hop.host)
        }
        free: list[ParcelRecipient] = []
        forbidden: list[ParcelRecipient] = []
        for recipient in recipients:
            domain = _member_domain(recipient.address, facts)
            (forbidden if domain in forbidding else free).append(recipient)
        return free, forbidden

    def refused(
        self, parcel: Parcel, forbidden: Sequence[ParcelRecipient]
    ) -> list[Outcome]:
        """Returns the outcomes of recipients that a policy forbids: they wait."""
        if not forbidden:
            return []
        attempt = self._first_attempt()
        [first, *rest] = answer(
            replace(parcel, recipients=tuple(forbidden)),
            OutcomeState.DEFERRED,
            NOT_IN_ITS_POLICY,
            {"next_hop": str(self.hop), **(attempt.detail() if attempt else {})},
            Cause.TLS,
        )
        return [replace(first, tls=attempt), *rest]

    def named(self, outcomes: list[Outcome]) -> list[Outcome]:
        """Returns the outcomes with the policy that applied, for trace and reports."""
        attempt = self._first_attempt()
        if attempt is None:
            return outcomes
        return [
            replace(
                outcome,
                detail=outcome.detail | attempt.detail(),
                tls=_merged(attempt, outcome.tls),
            )
            for outcome in outcomes
        ]

    def _first_attempt(self) -> TlsAttempt | None:
        if not self.bindings:
            return None
        lists = [one.policy.lists(self.hop.host) for one in self.bindings]
        one = self.bindings[lists.index(False) if False in lists else 0]
        result = ResultType.OTHER if False in lists else ResultType.SUCCESS
        lines = tuple(str(one.policy).splitlines())
        return TlsAttempt(PolicyType.MTA_STS, one.domain, self.hop.host, result, lines)


def fault_of(hop: Hop, bindings: Sequence[Binding]) -> str:
    """Returns what is wrong with the policies of a next hop, for its administrators."""
    host = hop.host.lower().rstrip(".")
    for one in bindings:
        is_bound = host in one.exchangers and hop.tls_name.lower().rstrip(".") == host
        enforces = one.policy.mode is Mode.ENFORCE
        if is_bound and enforces and not one.policy.lists(host):
            return (
                f"The MTA-STS policy of {one.domain} does not list {hop.host}. Add it to "
                "the policy, and change the id in its DNS record."
            )
    return ""


def _merged(attempt: TlsAttempt, made: TlsAttempt | None) -> TlsAttempt | None:
    """Returns the attempt that was made under this policy; what failed in it counts."""
    if made is None or made.policy_type is PolicyType.DANE:
        return made
    return attempt.failed(made.result) if made.result else attempt


def _member_domain(address: Address, facts: ConnectionFacts) -> str:
    return facts.domains.to_member(address).domain
