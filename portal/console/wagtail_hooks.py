"""Wagtail's menu becomes the console's: each sees the pages that their role may open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import include, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from engine.registry.permissions import Permission
from portal.console import member_urls
from portal.console.access import held_as_staff
from portal.console.guides import wagtail_hooks as guides
from portal.console.helpdesk import wagtail_hooks as helpdesk
from portal.console.mail import outbox
from portal.console.vetting import wagtail_hooks as vetting

# Wagtail looks for hooks in this module only; the desks bring their own.
__all__ = [
    "guides",
    "helpdesk",
    "members_urls",
    "own_look",
    "show_own_lines",
    "vetting",
]

# Wagtail's own, which nobody here may open, or which lead out of the service.
UNWANTED = {
    "documents",
    "forms",
    "snippets",
    "reports",
    "settings",
    "help",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the menu."""

    label: str
    url_name: str
    icon: str
    permission: Permission
    order: int


LINES = (
    Line("Home", "wagtailadmin_home", "home", Permission.USE_CONSOLE, 1),
    Line(
        "Organisations",
        "members:organisations",
        "group",
        Permission.VIEW_ORGANISATION,
        30,
    ),
    Line("People", "members:people", "user", Permission.VIEW_ORGANISATION, 40),
    Line("Second person", "members:recovery", "user", Permission.MANAGE_PEOPLE, 45),
    # Who looks after guides alone has Wagtail's own search, of pages.
    Line("Search", "console:search", "search", Permission.VIEW_ORGANISATION, 2),
    Line("Mail queue", "console:queue", "list-ul", Permission.VIEW_QUEUE, 100),
    Line("Sending rates", "console:rates", "tasks", Permission.VIEW_QUEUE, 105),
    Line("Message trace", "console:trace", "history", Permission.TRACE_MESSAGES, 110),
    Line(
        "Quarantine", "console:quarantine", "warning", Permission.VIEW_QUARANTINE, 120
    ),
    Line("Outbox", "console:outbox", "mail", Permission.VIEW_OUTBOX, 130),
    Line(
        "Service notices",
        "console:notices",
        "info-circle",
        Permission.PUBLISH_NOTICES,
        132,
    ),
    Line("API keys", "console:api_keys", "key", Permission.MANAGE_STAFF, 135),
    Line("Audit trail", "console:audit", "view", Permission.VIEW_AUDIT, 140),
    Line("Failed jobs", "console:jobs", "tasks", Permission.VIEW_QUEUE, 145),
    Line("Health", "console:health", "cogs", Permission.VIEW_QUEUE, 150),
)


@hooks.register("register_admin_urls")
def members_urls() -> list[Any]:
    return [path("", include(member_urls))]


@hooks.register("construct_main_menu")
def show_own_lines(request: HttpRequest, menu_items: list[Any]) -> None:
    held = held_as_staff(request.user)
    kept = [item for item in menu_items if item.name not in UNWANTED]
    ours = [
        _item(line) for line in LINES if line.permission in held and _is_of_use(line)
    ]
    menu_items[:] = kept + ours


def _is_of_use(line: Line) -> bool:
    """In production no notice goes into the outbox."""
    return line.url_name != "console:outbox" or outbox.is_used()


def _item(line: Line) -> MenuItem:
    return MenuItem(
        line.label,
        reverse(line.url_name),
        name=line.url_name.partition(":")[2] or "home",
        icon_name=line.icon,
        order=line.order,
    )


@hooks.register("insert_global_admin_css")
def own_look() -> SafeString:
    return format_html(
        '<link rel="stylesheet" href="{}">', static("postern/console.css")
    )
