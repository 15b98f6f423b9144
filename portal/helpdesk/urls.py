"""Routes of the requesters' pages."""

from __future__ import annotations

from django.urls import path

from portal.helpdesk.views import members, visitors

app_name = "helpdesk"
urlpatterns = [
    path("tickets/", members.index, name="index"),
    path("tickets/new/", members.new, name="new"),
    path("tickets/<int:pk>/", members.ticket, name="ticket"),
    path("tickets/<int:pk>/move/", members.move, name="move"),
    path("tickets/<int:pk>/files/<int:file_id>/", members.file, name="file"),
    path("ask/", visitors.ask, name="ask"),
    path("ask/done/", visitors.asked, name="asked"),
    path("follow/<str:token>/", visitors.follow, name="follow"),
    path(
        "follow/<str:token>/files/<int:file_id>/",
        visitors.followed_file,
        name="followed_file",
    ),
]
