"""Puts the desk into Wagtail's admin: its pages and its line in the menu."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import include, path, reverse
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from engine.registry.permissions import Permission
from onboarding.models import Application
from portal.console.access import held_as_staff
from portal.console.vetting import urls
from portal.console.vetting.decisions import ICON


@hooks.register("register_admin_urls")
def vetting_urls() -> list[Any]:
    return [path("applications/", include(urls))]


@hooks.register("construct_main_menu")
def vetting_in_menu(request: HttpRequest, menu_items: list[Any]) -> None:
    """One line, for those who may read applications, with how many wait."""
    if Permission.VIEW_APPLICATIONS not in held_as_staff(request.user):
        return
    waiting = Application.objects.waiting().count()
    label = f"Applications ({waiting})" if waiting else "Applications"
    menu_items.append(
        MenuItem(
            label,
            reverse("vetting:index"),
            name="applications",
            icon_name=ICON,
            order=10,
        )
    )
