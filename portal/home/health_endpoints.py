"""The endpoints for monitoring this host: live, ready and metrics."""

from __future__ import annotations

from ipaddress import ip_address

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from engine.health import readiness
from engine.health.metrics import exposition
from engine.health.metrics.database_collector import DatabaseCollector
from engine.registry.permissions.view_guards import public
from portal.middleware import client_address

NO_STORE = "private, no-store"


@public
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Answers that this process runs.

    It checks nothing else: a restart would not help where the database is away.
    """
    return _document({"status": "live"}, 200)


@public
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Answers whether a load balancer may send requests here: 200 or 503."""
    found = readiness.check()
    return _document(found.document, 200 if found.is_ready else 503)


@public
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Serves the metrics to POSTERN_METRICS_NETWORKS or with POSTERN_METRICS_TOKEN.

    To anybody else the page is 404.
    """
    if not _may_read(request):
        raise Http404
    response = HttpResponse(
        exposition.render([DatabaseCollector()]), content_type=CONTENT_TYPE_PLAIN_0_0_4
    )
    response["Cache-Control"] = NO_STORE
    return response


def _may_read(request: HttpRequest) -> bool:
    token = settings.POSTERN.metrics_token
    said = request.headers.get("Authorization", "")
    if token and constant_time_compare(said, f"Bearer {token}"):
        return True
    address = request.META.get("REMOTE_ADDR", "")
    return not _hides_visitor(request, address) and _is_near(address)


def _hides_visitor(request: HttpRequest, address: str) -> bool:
    """Returns whether one of our proxies forwards a request without the visitor's address."""
    is_passed_on = any(name in request.META for name in client_address.FORWARDED)
    return is_passed_on and client_address.is_proxy(address)


def _is_near(address: str) -> bool:
    try:
        visitor = ip_address(address)
    except ValueError:
        return False
    networks = settings.POSTERN.metrics_networks
    return any(visitor in network for network in networks)


def _document(content: dict[str, object], status: int) -> JsonResponse:
    response = JsonResponse(content, status=status)
    response["Cache-Control"] = NO_STORE
    return response
