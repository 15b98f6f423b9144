"""Webmail as an installed application: its manifest, its service worker, its offline page.

All three are the same for everybody and hold nothing of anybody's mail.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_safe

from engine.registry.permissions.view_guards import public

_WORKER = Path(__file__).parent / "static/webmail/service_worker.js"


@public
@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    """Serves the web application manifest."""
    drawn = {
        "src": static("webmail/app_icon.svg"),
        "sizes": "any",
        "type": "image/svg+xml",
    }
    painted = {
        "src": static("webmail/app_icon_512.png"),
        "sizes": "512x512",
        "type": "image/png",
    }
    mail = reverse("webmail:folder")
    return JsonResponse(
        {
            "id": mail,
            "name": f"{settings.POSTERN.community_name} mail",
            "short_name": settings.POSTERN.community_name[:12],
            "start_url": mail,
            "scope": "/",
            "display": "standalone",
            "background_color": "#10263f",
            "theme_color": "#10263f",
            # The picture fills the square, so that it can be cut to any shape.
            "icons": [drawn, painted, {**painted, "purpose": "maskable"}],
            "shortcuts": [
                {"name": "Write a message", "url": reverse("webmail:compose")}
            ],
        },
        content_type="application/manifest+json",
    )


@public
@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """Serves the service worker from where its scope is /mail/."""
    return HttpResponse(_WORKER.read_bytes(), content_type="text/javascript")


@public
@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """Shows the page that the service worker keeps, for when there is no connection."""
    return render(request, "webmail/offline.html")
