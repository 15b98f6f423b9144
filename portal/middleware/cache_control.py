"""Cache-Control: browsers and proxies keep nothing but public pages without secrets."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from engine.registry.permissions.view_guards import Access

NOTHING = "private, no-store"
# A browser may keep the page, and revalidates it before it shows it again.
PAGE = "no-cache"
# URL arguments that grant access to every holder of the URL.
SECRETS = {"token", "key", "uidb36", "uidb64"}


class CacheControlMiddleware:
    """Writes Cache-Control, denying by default (RFC 9111 §5.2.2).

    A computer in a court is shared: after signing out, Back must not show the mail. Only
    a page of a public view, for a visitor without a session, under an address that is no
    secret, may be kept; it varies by cookie. A public view may say `public` itself for
    what is the same for everyone.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        said = response.headers.get("Cache-Control", "")
        if response.status_code != HTTPStatus.OK or not _is_public(request):
            response.headers["Cache-Control"] = NOTHING
        elif said.startswith("public"):
            return response
        elif not said:
            has_session = settings.SESSION_COOKIE_NAME in {
                *request.COOKIES,
                *response.cookies,
            }
            response.headers["Cache-Control"] = NOTHING if has_session else PAGE
        patch_vary_headers(response, ["Cookie"])
        return response


def _is_public(request: HttpRequest) -> bool:
    match = request.resolver_match
    if match is None or request.method not in ("GET", "HEAD"):
        return False
    access = getattr(match.func, "access", Access())
    return access.is_public and SECRETS.isdisjoint(match.kwargs)
