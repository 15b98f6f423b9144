"""Wagtail's menu and URLs become the console's: staff see the pages their role permits.

Wagtail looks for hooks in a module of this name only, so those of all desks are here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import include, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from wagtail import hooks
from wagtail.admin.menu import MenuItem as WagtailMenuItem

from engine.registry.permissions import Permission
from onboarding.models import Application
from portal.console import guide_reviews, member_urls
from portal.console.access import held_as_staff
from portal.console.helpdesk import ticket_list
from portal.console.helpdesk import urls as helpdesk_urls
from portal.console.mail import outbox
from portal.console.vetting import decisions
from portal.console.vetting import urls as vetting_urls
from portal.guides.models import Guide
from portal.helpdesk.models import Ticket

# Wagtail's own items that no role may open, or that lead out of the service.
HIDDEN = {"documents", "forms", "snippets", "reports", "settings", "help"}
# Wagtail's own items for guide editors only.
EDITORS_ONLY = {"explorer", "images"}


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One item of the menu, for staff who hold the permission.

    `badge` is the text after the label, such as a count of what waits.
    """

    label: str
    url_name: str
    icon: str
    permission: Permission
    order: int
    name: str = ""
    badge: Callable[[], str] | None = None


def _pending_applications() -> str:
    pending = Application.objects.waiting().count()
    return f" ({pending})" if pending else ""


def _late_tickets() -> str:
    late = Ticket.objects.breaching(timezone.now()).count()
    return f" ({late} late)" if late else ""


def _due_guides() -> str:
    due = Guide.objects.filter(review_due_on__lte=timezone.localdate()).count()
    return f" ({due} due)" if due else ""


MENU = (
    MenuItem("Home", "wagtailadmin_home", "home", Permission.USE_CONSOLE, 1, "home"),
    # Guide editors hold no permission for it: they have Wagtail's own search of pages.
    MenuItem("Search", "console:search", "search", Permission.VIEW_ORGANISATION, 2),
    MenuItem(
        "Applications",
        "vetting:index",
        decisions.ICON,
        Permission.VIEW_APPLICATIONS,
        10,
        "applications",
        _pending_applications,
    ),
    MenuItem(
        "Tickets",
        "desk:index",
        ticket_list.ICON,
        Permission.VIEW_TICKETS,
        20,
        "tickets",
        _late_tickets,
    ),
    MenuItem(
        "Guides",
        "guide_desk:reviews",
        guide_reviews.ICON,
        Permission.EDIT_GUIDES,
        29,
        "guides",
        _due_guides,
    ),
    MenuItem(
        "Organisations",
        "members:organisations",
        "group",
        Permission.VIEW_ORGANISATION,
        30,
    ),
    MenuItem("People", "members:people", "user", Permission.VIEW_ORGANISATION, 40),
    MenuItem("Second person", "members:recovery", "user", Permission.MANAGE_PEOPLE, 45),
    MenuItem("Mail queue", "console:queue", "list-ul", Permission.VIEW_QUEUE, 100),
    MenuItem("Sending rates", "console:rates", "tasks", Permission.VIEW_QUEUE, 105),
    MenuItem("Sending stops", "console:stops", "lock", Permission.VIEW_QUEUE, 107),
    MenuItem(
        "Message trace", "console:trace", "history", Permission.TRACE_MESSAGES, 110
    ),
    MenuItem(
        "Delivered mail",
        "console:delivered",
        "search",
        Permission.MANAGE_QUARANTINE,
        112,
    ),
    MenuItem(
        "Withdrawals", "console:withdrawals", "no-view", Permission.VIEW_QUARANTINE, 114
    ),
    MenuItem("Re-scans", "console:rescans", "rotate", Permission.VIEW_QUARANTINE, 118),
    MenuItem(
        "Quarantine", "console:quarantine", "warning", Permission.VIEW_QUARANTINE, 120
    ),
    MenuItem("Outbox", "console:outbox", "mail", Permission.VIEW_OUTBOX, 130),
    MenuItem(
        "Service notices",
        "console:notices",
        "info-circle",
        Permission.PUBLISH_NOTICES,
        132,
    ),
    MenuItem("API keys", "console:api_keys", "key", Permission.MANAGE_STAFF, 135),
    MenuItem(
        "Signing keys", "console:signing_keys", "key", Permission.MANAGE_STAFF, 137
    ),
    MenuItem("DKIM keys", "console:mail_keys", "key", Permission.MANAGE_STAFF, 138),
    MenuItem("TLS reports", "console:tls_reports", "lock", Permission.VIEW_QUEUE, 139),
    MenuItem("Audit trail", "console:audit", "view", Permission.VIEW_AUDIT, 140),
    MenuItem("Failed jobs", "console:jobs", "tasks", Permission.VIEW_QUEUE, 145),
    MenuItem("Health", "console:health", "cogs", Permission.VIEW_QUEUE, 150),
)


@hooks.register("register_admin_urls")
def console_urls() -> list[Any]:
    """Adds the desks' pages under /admin/."""
    return [
        path("applications/", include(vetting_urls)),
        path("tickets/", include(helpdesk_urls)),
        path("guides/", include(guide_reviews)),
        path("", include(member_urls)),
    ]


@hooks.register("construct_main_menu")
def show_permitted_items(request: HttpRequest, menu_items: list[Any]) -> None:
    """Replaces Wagtail's menu by the items that the visitor's roles permit."""
    held = held_as_staff(request.user)
    hidden = HIDDEN if Permission.EDIT_GUIDES in held else HIDDEN | EDITORS_ONLY
    menu_items[:] = [
        *(item for item in menu_items if item.name not in hidden),
        *(
            _menu_item(item)
            for item in MENU
            if item.permission in held and _is_used(item)
        ),
    ]


def _is_used(item: MenuItem) -> bool:
    """The outbox is empty where notices are really sent."""
    return item.url_name != "console:outbox" or outbox.is_used()


def _menu_item(item: MenuItem) -> WagtailMenuItem:
    return WagtailMenuItem(
        item.label + (item.badge() if item.badge else ""),
        reverse(item.url_name),
        name=item.name or item.url_name.partition(":")[2],
        icon_name=item.icon,
        order=item.order,
    )


@hooks.register("insert_global_admin_css")
def stylesheet() -> SafeString:
    """Adds the console's stylesheet to every page of the admin."""
    return format_html(
        '<link rel="stylesheet" href="{}">', static("postern/console.css")
    )
