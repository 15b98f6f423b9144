from __future__ import annotations

from django.urls import path

from portal.directory import entry_pages, search

app_name = "directory"

urlpatterns = [
    path("", search.search, name="search"),
    path("people/<int:person_id>/", entry_pages.person, name="person"),
    path(
        "organisations/<int:organisation_id>/",
        entry_pages.organisation,
        name="organisation",
    ),
    path("lists/<int:list_id>/", entry_pages.distribution_list, name="list"),
    path(
        "group-mailboxes/<int:mailbox_id>/",
        entry_pages.group_mailbox,
        name="group_mailbox",
    ),
]
