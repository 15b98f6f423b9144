"""Distribution lists, their members and their posters."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Count, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from api.framework.etags import check_if_match, response_with_etag
from api.framework.idempotency import idempotent
from api.framework.request_validation import (
    IdField,
    OrganisationRequest,
    RequestSerializer,
    validated,
)
from api.framework.viewsets import (
    ListResource,
    ReadResource,
    SuspendableResource,
    SuspendVerbs,
)
from engine.registry.actions import lists
from engine.registry.addresses.allocation import to_community_address
from engine.registry.models import DistributionList, ListMember, ListPoster, Posting
from engine.registry.scopes import Scope


class ListSerializer(serializers.ModelSerializer[DistributionList]):
    """A distribution list."""

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


class ListFilters(RequestSerializer):
    """The filters for distribution lists."""

    organisation = IdField(required=False)
    address = serializers.CharField(max_length=254, required=False)


class ListChanges(RequestSerializer):
    """Changes to a distribution list."""

    name = serializers.CharField(max_length=150, required=False)
    posting = serializers.ChoiceField(
        choices=Posting.choices, required=False, help_text="Who may write to it."
    )
    is_published = serializers.BooleanField(
        required=False, help_text="Whether the directory shows it."
    )


class NewList(OrganisationRequest, ListChanges):
    """A distribution list to add."""

    address = serializers.CharField(
        max_length=254, help_text="In one of the organisation's domains."
    )
    name = serializers.CharField(max_length=150)


@extend_schema_view(
    list=extend_schema(summary="List distribution lists"),
    retrieve=extend_schema(summary="Read a distribution list"),
)
class Lists(ReadResource, SuspendableResource):
    """Distribution lists: one address that delivers to many, across organisations."""

    serializer_class = ListSerializer
    filter_serializer = ListFilters
    verbs: ClassVar[SuspendVerbs] = lists
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
        return self.caller.visible(rows)

    @extend_schema(
        summary="Add a distribution list",
        request=NewList,
        responses={status.HTTP_201_CREATED: ListSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        fields: Any = validated(request, NewList)
        organisation = self.caller.organisation_for(fields.pop("organisation", None))
        made = lists.add(organisation, **fields, by=self.caller.key)
        return Response(self._shown(made.pk), status.HTTP_201_CREATED)

    @extend_schema(summary="Change a distribution list", request=ListChanges)
    @check_if_match
    def partial_update(self, request: Request, pk: int) -> Response:
        distribution_list = self.get_object()
        changes: Any = validated(request, ListChanges)
        lists.edit(distribution_list, **changes, by=self.caller.key)
        return response_with_etag(self._shown(pk))

    def _shown(self, pk: int) -> Any:
        return ListSerializer(self.get_queryset().get(pk=pk)).data


class NewAddress(RequestSerializer):
    """An address to add."""

    address = serializers.CharField(max_length=254)


class MemberSerializer(serializers.ModelSerializer[ListMember]):
    """A member of a distribution list."""

    class Meta:
        model = ListMember
        fields = read_only_fields = [
            "id",
            "address",
            "needs_attention",
            "last_failure",
        ]


class PosterSerializer(serializers.ModelSerializer[ListPoster]):
    """An address that may write to a distribution list."""

    class Meta:
        model = ListPoster
        fields = read_only_fields = ["id", "address"]


class ListAddresses(ListResource):
    """The addresses of one distribution list."""

    scopes = {
        "list": Scope.READ_LISTS,
        "create": Scope.WRITE_LISTS,
        "destroy": Scope.WRITE_LISTS,
    }

    def distribution_list(self) -> DistributionList:
        """Returns the list of the URL. Raises Http404."""
        rows = self.caller.visible(DistributionList.objects.all())
        return get_object_or_404(rows, pk=self.kwargs["list_id"])

    def shown(self, address: str) -> Response:
        """Returns the row of an address that was just added."""
        row = self.get_queryset().get(address=to_community_address(address).key)
        return Response(self.get_serializer(row).data, status.HTTP_201_CREATED)


@extend_schema_view(list=extend_schema(summary="List the members of a list"))
class Members(ListAddresses):
    """The members that a distribution list delivers to, anywhere in the community."""

    serializer_class = MemberSerializer

    def get_queryset(self) -> QuerySet[Any]:
        return self.distribution_list().members.all()

    @extend_schema(
        summary="Add a member",
        request=NewAddress,
        responses={status.HTTP_201_CREATED: MemberSerializer},
    )
    @idempotent
    def create(self, request: Request, list_id: int) -> Response:
        row, fields = self.distribution_list(), validated(request, NewAddress)
        lists.add_member(row, **fields, by=self.caller.key)
        return self.shown(fields["address"])

    @extend_schema(summary="Remove a member")
    def destroy(self, request: Request, list_id: int, pk: int) -> Response:
        row = self.distribution_list()
        member = get_object_or_404(row.members, pk=pk)
        lists.remove_member(row, address=member.address, by=self.caller.key)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(list=extend_schema(summary="List the posters of a list"))
class Posters(ListAddresses):
    """The addresses that may write to a list whose posting is `named`."""

    serializer_class = PosterSerializer

    def get_queryset(self) -> QuerySet[Any]:
        return self.distribution_list().posters.all()

    @extend_schema(
        summary="Add a poster",
        request=NewAddress,
        responses={status.HTTP_201_CREATED: PosterSerializer},
    )
    @idempotent
    def create(self, request: Request, list_id: int) -> Response:
        row, fields = self.distribution_list(), validated(request, NewAddress)
        lists.add_poster(row, **fields, by=self.caller.key)
        return self.shown(fields["address"])

    @extend_schema(summary="Remove a poster")
    def destroy(self, request: Request, list_id: int, pk: int) -> Response:
        row = self.distribution_list()
        poster = get_object_or_404(row.posters, pk=pk)
        lists.remove_poster(row, address=poster.address, by=self.caller.key)
        return Response(status=status.HTTP_204_NO_CONTENT)
