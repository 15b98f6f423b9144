"""A console page in Wagtail's own furniture, and lists cut into pages."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

PER_PAGE = 50


def show(
    request: HttpRequest,
    template: str,
    title: str,
    icon: str,
    context: dict[str, Any] | None = None,
    *,
    above: tuple[tuple[str, str], ...] = (),
) -> HttpResponse:
    """Render `console/<template>.html`.

    `above` are the pages between home and this one, each as URL name and label.
    """
    trail = [{"url": reverse("wagtailadmin_home"), "label": "Home"}]
    trail += [{"url": reverse(name), "label": label} for name, label in above]
    furniture = {
        "header_title": title,
        "header_icon": icon,
        "breadcrumbs_items": [*trail, {"url": "", "label": title}],
    }
    return render(request, f"console/{template}.html", {**(context or {}), **furniture})


def paged(request: HttpRequest, rows: QuerySet[Model]) -> dict[str, Any]:
    """One page of the rows, by `?p=`, with what Wagtail's page links need."""
    paginator = Paginator(rows, PER_PAGE)
    page = paginator.get_page(request.GET.get("p"))
    return {
        "rows": page,
        "elided_page_range": paginator.get_elided_page_range(page.number),
    }
