from __future__ import annotations

from django.urls import path

from portal.directory import pages, views

app_name = "directory"

urlpatterns = [
    path("", views.search, name="search"),
    path("people/<int:person_id>/", pages.person, name="person"),
    path(
        "organisations/<int:organisation_id>/", pages.organisation, name="organisation"
    ),
    path("lists/<int:list_id>/", pages.distribution_list, name="list"),
    path(
        "group-mailboxes/<int:mailbox_id>/", pages.group_mailbox, name="group_mailbox"
    ),
]
