"""The visitor's network address, behind trusted proxies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse

Address = IPv4Address | IPv6Address
Networks = Iterable[IPv4Network | IPv6Network]
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO")


class ClientAddressMiddleware:
    """Sets REMOTE_ADDR to the visitor's own address, where all code looks for it.

    Behind a proxy all visitors would otherwise share one address, and one of them guessing
    passwords would lock all of them out. Forwarding headers of a peer that is not a
    trusted proxy are discarded, including the claim that it came by HTTPS.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        visitor = of(request.META)
        if not is_proxy(request.META.get("REMOTE_ADDR", "")):
            for name in FORWARDED:
                request.META.pop(name, None)
        request.META["REMOTE_ADDR"] = visitor
        return self.get_response(request)


def of(meta: Mapping[str, str]) -> str:
    """Returns the visitor's own address, from a request's unchanged META."""
    address = meta.get("REMOTE_ADDR", "")
    peer = _parsed(address)
    proxies = settings.POSTERN.trusted_proxies
    if peer is None or not _is_in(peer, proxies):
        return address
    return str(_visitor(meta.get("HTTP_X_FORWARDED_FOR", ""), peer, proxies))


def is_proxy(address: str) -> bool:
    """Returns whether the address belongs to a trusted proxy."""
    peer = _parsed(address)
    return peer is not None and _is_in(peer, settings.POSTERN.trusted_proxies)


def _visitor(forwarded: str, peer: Address, proxies: Networks) -> Address:
    """Returns the last address that a trusted proxy saw; earlier entries can be forged."""
    visitor = peer
    for text in reversed(forwarded.split(",")):
        if not _is_in(visitor, proxies):
            break
        found = _parsed(text)
        if found is None:
            break
        visitor = found
    return visitor


def _is_in(address: Address, networks: Networks) -> bool:
    return any(address in network for network in networks)


def _parsed(text: str) -> Address | None:
    try:
        found = ip_address(text.strip())
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
