"""Routes of the API. All need a key, except the document, the reference and tokens."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver, include, path, re_path
from django.urls.resolvers import RoutePattern
from rest_framework.routers import SimpleRouter

from api.framework.problem_types import problems
from api.framework.problems import UnknownAddress
from api.openapi.document import openapi
from api.openapi.reference import reference
from api.v1.applications import Applications
from api.v1.audit import Audit
from api.v1.guides import Guides
from api.v1.messages.folders import Folders
from api.v1.messages.reminders import Reminders
from api.v1.messages.traces import Traces
from api.v1.messages.viewsets import Messages
from api.v1.queue import Queue
from api.v1.registry.accounts import Accounts
from api.v1.registry.connections import Connections
from api.v1.registry.directory import Directory
from api.v1.registry.domains import Domains
from api.v1.registry.lists import Lists, Members, Posters
from api.v1.registry.mailboxes import Grants, Mailboxes
from api.v1.registry.organisations import Organisations
from api.v1.registry.people import People
from api.v1.tickets import Tickets
from api.v1.tokens import Tokens
from api.v1.webhooks import Calls, Endpoints


class OptionalSlash(RoutePattern):
    """A prefix below which every path may end with a slash or without one.

    The routes end with one. A redirect would not do: clients turn the method of a POST
    that is redirected into GET, and lose its body.
    """

    def match(self, path: str) -> tuple[str, tuple[Any, ...], dict[str, Any]] | None:
        matched = super().match(path)
        if matched is None or not matched[0] or matched[0].endswith("/"):
            return matched
        rest, args, kwargs = matched
        return f"{rest}/", args, kwargs


router = SimpleRouter(use_regex_path=False)
router.register("organisations", Organisations, basename="organisation")
router.register("domains", Domains, basename="domain")
router.register("connections", Connections, basename="connection")
router.register("people", People, basename="person")
router.register("mailboxes", Mailboxes, basename="mailbox")
router.register("lists", Lists, basename="list")
router.register("directory", Directory, basename="directory")
router.register("messages", Messages, basename="message")
router.register("traces", Traces, basename="trace")
router.register("webhooks", Endpoints, basename="webhook")
router.register("queue", Queue, basename="queued")
router.register("tickets", Tickets, basename="ticket")
router.register("guides", Guides, basename="guide")
router.register("audit", Audit, basename="audit")
router.register("applications", Applications, basename="application")

one_list: list[URLPattern | URLResolver] = [
    path("members/", Members.as_view({"get": "list", "post": "create"})),
    path("members/<int:pk>/", Members.as_view({"delete": "destroy"})),
    path("posters/", Posters.as_view({"get": "list", "post": "create"})),
    path("posters/<int:pk>/", Posters.as_view({"delete": "destroy"})),
]
one_mailbox: list[URLPattern | URLResolver] = [
    path("folders/", Folders.as_view({"get": "list"})),
    path("grants/", Grants.as_view({"get": "list"})),
    path(
        "grants/<int:person_id>/",
        Grants.as_view({"put": "update", "delete": "destroy"}),
    ),
]
one_message: list[URLPattern | URLResolver] = [
    path("", Reminders.as_view({"get": "list"})),
    path("snooze/", Reminders.as_view({"put": "snooze", "delete": "end_snooze"})),
    path(
        "follow-up/",
        Reminders.as_view({"put": "follow_up", "delete": "end_follow_up"}),
    ),
]
one_person: list[URLPattern | URLResolver] = [
    path("sign-in-link/", Accounts.as_view({"post": "sign_in_link"})),
    path("second-factor-reset/", Accounts.as_view({"post": "reset_second_factor"})),
    path(
        "roles/administrator/",
        Accounts.as_view({"put": "give_administrator", "delete": "take_administrator"}),
    ),
]
one_webhook: list[URLPattern | URLResolver] = [
    path("calls/", Calls.as_view({"get": "list"})),
    path("calls/<int:pk>/replay/", Calls.as_view({"post": "replay"})),
]
v1: list[URLPattern | URLResolver] = [
    path("oauth/token/", Tokens.as_view(), name="token"),
    path("lists/<int:list_id>/", include(one_list)),
    path("mailboxes/<int:mailbox_id>/", include(one_mailbox)),
    path("messages/<int:message_id>/reminders/", include(one_message)),
    path("people/<int:person_id>/", include(one_person)),
    path("webhooks/<int:endpoint_id>/", include(one_webhook)),
    path("", include(router.urls)),
]

app_name = "api"
urlpatterns = [
    path("", reference, name="reference"),
    path("problems", problems, name="problems"),
    path("v1/openapi.json", openapi, name="openapi"),
    URLResolver(OptionalSlash("v1/", is_endpoint=False), v1),
    re_path(r"^[\s\S]*$", UnknownAddress.as_view()),
]
