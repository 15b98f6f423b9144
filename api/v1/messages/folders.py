from __future__ import annotations

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view

from api.framework.viewsets import Listed
from api.v1.messages.serializers import FolderSerializer
from engine.registry.scopes import Scope
from engine.storage.models import Folder


@extend_schema_view(list=extend_schema(summary="List the folders of a mailbox"))
class Folders(Listed):
    """Places for messages inside a mailbox."""

    serializer_class = FolderSerializer
    scopes = {"list": Scope.READ_MESSAGES}

    def get_queryset(self) -> QuerySet[Folder]:
        mine = self.caller.mailboxes()
        return get_object_or_404(mine, pk=self.kwargs["mailbox_id"]).folders.all()
