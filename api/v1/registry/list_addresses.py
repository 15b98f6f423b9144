from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from api.framework.idempotency import idempotent
from api.framework.request_validation import Asked, asked
from api.framework.viewsets import Listed
from engine.registry.actions import lists
from engine.registry.addresses import in_community
from engine.registry.models import DistributionList, ListMember, ListPoster
from engine.registry.scopes import Scope


class NewAddress(Asked):
    address = serializers.CharField(max_length=254)


class MemberSerializer(serializers.ModelSerializer[ListMember]):
    class Meta:
        model = ListMember
        fields = read_only_fields = [
            "id",
            "address",
            "needs_attention",
            "last_failure",
        ]


class PosterSerializer(serializers.ModelSerializer[ListPoster]):
    class Meta:
        model = ListPoster
        fields = read_only_fields = ["id", "address"]


class ListAddresses(Listed):
    """Addresses that belong to one distribution list."""

    scopes = {
        "list": Scope.READ_LISTS,
        "create": Scope.WRITE_LISTS,
        "destroy": Scope.WRITE_LISTS,
    }

    def distribution_list(self) -> DistributionList:
        rows = self.caller.within(DistributionList.objects.all())
        return get_object_or_404(rows, pk=self.kwargs["list_id"])

    def shown(self, address: str) -> Response:
        """The row of an address that was just added."""
        row = self.get_queryset().get(address=in_community(address).key)
        return Response(self.get_serializer(row).data, status.HTTP_201_CREATED)


@extend_schema_view(list=extend_schema(summary="List the members of a list"))
class Members(ListAddresses):
    """Whom a distribution list reaches, anywhere in the community."""

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
        row, said = self.distribution_list(), asked(request, NewAddress)
        lists.add_member(row, **said, by=self.caller.key)
        return self.shown(said["address"])

    @extend_schema(summary="Remove a member")
    def destroy(self, request: Request, list_id: int, pk: int) -> Response:
        row = self.distribution_list()
        member = get_object_or_404(row.members, pk=pk)
        lists.remove_member(row, address=member.address, by=self.caller.key)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(list=extend_schema(summary="List who may write to a list"))
class Posters(ListAddresses):
    """Who may write to a list whose posting is `named`."""

    serializer_class = PosterSerializer

    def get_queryset(self) -> QuerySet[Any]:
        return self.distribution_list().posters.all()

    @extend_schema(
        summary="Add somebody who may write",
        request=NewAddress,
        responses={status.HTTP_201_CREATED: PosterSerializer},
    )
    @idempotent
    def create(self, request: Request, list_id: int) -> Response:
        row, said = self.distribution_list(), asked(request, NewAddress)
        lists.add_poster(row, **said, by=self.caller.key)
        return self.shown(said["address"])

    @extend_schema(summary="Remove somebody who may write")
    def destroy(self, request: Request, list_id: int, pk: int) -> Response:
        row = self.distribution_list()
        poster = get_object_or_404(row.posters, pk=pk)
        lists.remove_poster(row, address=poster.address, by=self.caller.key)
        return Response(status=status.HTTP_204_NO_CONTENT)
