"""Refuses display names that pretend to be another sender."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

from django.conf import settings

from engine.mail import lookalike, smtp_replies
from engine.mail.address import Address, InvalidAddressError
from engine.mail.address_list import NamedAddress
from engine.mail.authors import Claim, claims_in, named_authors, resenders
from engine.mail.errors import PermanentFailure
from engine.mail.header import HeaderBlock
from engine.registry.addresses.display_names import imitates_service
from engine.routing.snapshot import Routes

Check = Callable[..., None]


def check_claims(
    routes: Routes, header: HeaderBlock, check: Check, *, is_notice: bool = False
) -> None:
    """Checks that a header's display names and Resent fields do not mislead.

    `check(address=…)` raises where the sender may not write as an address. An author's
    display name may contain no address but one that the sender may write as, and no
    name of the service. Any other name is allowed, because people share names.
    `is_notice`: the message has the null sender. Raises PermanentFailure (550 5.7.1).
    """
    for address in resenders(header):
        if routes.organisation_of(address) is not None:
            _check_is_theirs(routes, address, check)
    for named in named_authors(header):
        # A local part may be written to look like an address too.
        for claim in [*claims_in(named.name), *claims_in(_local(named.address))]:
            if not _is_own(routes, claim, named.address, check):
                _refuse(f"<{claim}> is not yours: take it out of the sender's name")
        _check_is_not_service(routes, named, is_notice=is_notice)


def _check_is_theirs(routes: Routes, address: Address, check: Check) -> None:
    try:
        check(address=routes.domains.to_community(address))
    except PermanentFailure as refusal:
        text = f"<{address}> is not yours: take it out of the sender's name"
        raise PermanentFailure(refusal.reply.saying(text)) from refusal


def _is_own(routes: Routes, claim: Claim, author: Address, check: Check) -> bool:
    """Whether a claim names an address or domain that the author may use."""
    if not claim.is_certain:
        owner = routes.domains.owner_of_lookalike(claim.domain)
        return owner is None or owner == routes.organisation_of(author)
    for form in _forms(routes, author):
        local, _, domain = form.rpartition("@")
        if claim.domain == domain and claim.local in ("", local):
            return True
    try:
        check(address=routes.domains.to_community(Address.parse(str(claim))))
    except (InvalidAddressError, PermanentFailure):
        return False
    return True


def _forms(routes: Routes, address: Address) -> Iterator[str]:
    """The address in community and member form, each as a reader sees its domain."""
    for move in (routes.domains.to_community, routes.domains.to_member):
        with suppress(InvalidAddressError):
            form = move(address)
            for domain in (form.domain, lookalike.readable_domain(form.domain)):
                yield lookalike.ascii_form(f"{form.local}@{domain}")


def _local(address: Address) -> str:
    return address.local if "@" in lookalike.ascii_form(address.local) else ""


def _check_is_not_service(
    routes: Routes, named: NamedAddress, *, is_notice: bool
) -> None:
    community = settings.POSTERN.community_domain
    owner = routes.organisation_of(named.address)
    is_service = owner is not None and owner == routes.domains.owner_of(community)
    if is_service or named.address.domain == community:
        return
    facts = routes.organisations.get(owner) if owner is not None else None
    organisation = facts.name if facts else ""
    if not imitates_service(named.name, organisation=organisation):
        return
    # A server's own notices come from "Postmaster" <postmaster@…>.
    spelt = [
        "".join(lookalike.word_skeletons(t)) for t in (named.name, named.address.local)
    ]
    if is_notice and spelt[0] == spelt[1]:
        return
    _refuse(
        f"The sender's name {named.name!a} would pass for this service; add whose it is"
    )


def _refuse(text: str) -> None:
    raise PermanentFailure(smtp_replies.SENDER_NOT_ALLOWED.saying(text))
