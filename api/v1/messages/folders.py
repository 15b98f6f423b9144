"""The folders of a mailbox."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view

from api.framework.viewsets import ListResource
from api.v1.messages import serializers, stored_messages
from engine.registry.scopes import Scope
from engine.storage.models import Folder


@extend_schema_view(list=extend_schema(summary="List the folders of a mailbox"))
class Folders(ListResource):
    """The folders of one mailbox."""

    serializer_class = serializers.FolderSerializer
    scopes = {"list": Scope.READ_MESSAGES}

    def get_queryset(self) -> QuerySet[Folder]:
        mailbox = stored_messages.open_mailbox(self.caller, self.kwargs["mailbox_id"])
        return mailbox.folders.all()
