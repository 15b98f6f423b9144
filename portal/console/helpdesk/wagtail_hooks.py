"""Puts the desk into Wagtail's admin: its pages and its line in the menu."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import include, path, reverse
from django.utils import timezone
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from engine.registry.permissions import Permission
from portal.console.access import held_as_staff
from portal.console.helpdesk import urls
from portal.console.helpdesk.ticket_list import ICON
from portal.helpdesk.models import Ticket


@hooks.register("register_admin_urls")
def helpdesk_urls() -> list[Any]:
    return [path("tickets/", include(urls))]


@hooks.register("construct_main_menu")
def helpdesk_in_menu(request: HttpRequest, menu_items: list[Any]) -> None:
    """One line, for those who may read tickets, with how many are late or nearly."""
    if Permission.VIEW_TICKETS not in held_as_staff(request.user):
        return
    late = Ticket.objects.breaching(timezone.now()).count()
    label = f"Tickets ({late} late)" if late else "Tickets"
    menu_items.append(
        MenuItem(label, reverse("desk:index"), name="tickets", icon_name=ICON, order=20)
    )
