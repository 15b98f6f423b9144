"""Puts the guides into Wagtail's admin, for those who edit them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import include, path, reverse
from django.utils import timezone
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from engine.registry.permissions import Permission
from portal.console.access import held_as_staff
from portal.console.guide_reviews import ICON
from portal.console.guides import urls
from portal.guides.models import Guide

# Wagtail's own, for editors alone.
OF_EDITORS = {"explorer", "images"}


@hooks.register("register_admin_urls")
def guide_urls() -> list[Any]:
    return [path("guides/", include(urls))]


@hooks.register("construct_main_menu")
def guides_in_menu(request: HttpRequest, menu_items: list[Any]) -> None:
    """One line, with how many reviews are due. Others lose Wagtail's own lines."""
    if Permission.EDIT_GUIDES not in held_as_staff(request.user):
        menu_items[:] = [item for item in menu_items if item.name not in OF_EDITORS]
        return
    due = Guide.objects.filter(review_due_on__lte=timezone.localdate()).count()
    label = f"Guides ({due} due)" if due else "Guides"
    menu_items.append(
        MenuItem(
            label,
            reverse("guide_desk:reviews"),
            name="guides",
            icon_name=ICON,
            order=30,
        )
    )
