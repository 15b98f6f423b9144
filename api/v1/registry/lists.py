from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Count, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from api.framework.etags import if_unchanged, tagged
from api.framework.idempotency import idempotent
from api.framework.request_validation import Asked, IdField, PlacedAsked, asked
from api.framework.switching import Switch, Switched
from api.framework.viewsets import Readable
from engine.registry.actions import lists
from engine.registry.models import DistributionList, Posting
from engine.registry.scopes import Scope


class ListSerializer(serializers.ModelSerializer[DistributionList]):
    member_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = DistributionList
        fields = read_only_fields = [
            "id",
            "organisation",
            "address",
            "name",
            "posting",
            "is_active",
            "is_published",
            "member_count",
            "created_at",
        ]


class ListFacts(Asked):
    organisation = IdField(required=False)
    address = serializers.CharField(max_length=254, required=False)


class ListChanges(Asked):
    name = serializers.CharField(max_length=150, required=False)
    posting = serializers.ChoiceField(
        choices=Posting.choices, required=False, help_text="Who may write to it."
    )
    is_published = serializers.BooleanField(
        required=False, help_text="Whether the directory shows it."
    )


class NewList(PlacedAsked, ListChanges):
    address = serializers.CharField(
        max_length=254, help_text="In one of the organisation's domains."
    )
    name = serializers.CharField(max_length=150)


@extend_schema_view(
    list=extend_schema(summary="List distribution lists"),
    retrieve=extend_schema(summary="Read a distribution list"),
)
class Lists(Readable, Switched):
    """One address that means many, across organisations."""

    serializer_class = ListSerializer
    facts = ListFacts
    verbs: ClassVar[Switch] = lists
    scopes = {
        "list": Scope.READ_LISTS,
        "retrieve": Scope.READ_LISTS,
        "create": Scope.WRITE_LISTS,
        "partial_update": Scope.WRITE_LISTS,
        "suspend": Scope.WRITE_LISTS,
        "resume": Scope.WRITE_LISTS,
    }

    def get_queryset(self) -> QuerySet[DistributionList]:
        rows = DistributionList.objects.annotate(member_count=Count("members"))
        return self.caller.within(rows)

    @extend_schema(
        summary="Add a distribution list",
        request=NewList,
        responses={status.HTTP_201_CREATED: ListSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        said: Any = asked(request, NewList)
        place = self.caller.place(said.pop("organisation", None))
        made = lists.add(place, **said, by=self.caller.key)
        return Response(self._shown(made.pk), status.HTTP_201_CREATED)

    @extend_schema(summary="Change a distribution list", request=ListChanges)
    @if_unchanged
    def partial_update(self, request: Request, pk: int) -> Response:
        distribution_list = self.get_object()
        changes: Any = asked(request, ListChanges)
        lists.edit(distribution_list, **changes, by=self.caller.key)
        return tagged(self._shown(pk))

    def _shown(self, pk: int) -> Any:
        return ListSerializer(self.get_queryset().get(pk=pk)).data
