"""Routes of the API. All need a key, except the document, the reference and tokens."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path
from rest_framework.routers import SimpleRouter

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
one_webhook: list[URLPattern | URLResolver] = [
    path("calls/", Calls.as_view({"get": "list"})),
    path("calls/<int:pk>/replay/", Calls.as_view({"post": "replay"})),
]
v1: list[URLPattern | URLResolver] = [
    path("openapi.json", openapi, name="openapi"),
    path("oauth/token/", Tokens.as_view(), name="token"),
    path("lists/<int:list_id>/", include(one_list)),
    path("mailboxes/<int:mailbox_id>/", include(one_mailbox)),
    path("messages/<int:message_id>/reminders/", include(one_message)),
    path("webhooks/<int:endpoint_id>/", include(one_webhook)),
    path("", include(router.urls)),
]

app_name = "api"
urlpatterns = [
    path("", reference, name="reference"),
    path("v1/", include(v1)),
    re_path("^.*$", UnknownAddress.as_view()),
]
