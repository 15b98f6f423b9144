"""Keeps Wagtail's group of guide editors in step with the role in the registry."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from wagtail.models import Collection, GroupCollectionPermission, GroupPagePermission

from engine.registry.models import Person, RoleName, StaffRole
from portal.guides.models import GuideIndex

GROUP = "Guide editors"
ON_PAGES = ("add_page", "change_page", "publish_page")
ON_IMAGES = ("add_image", "change_image", "choose_image")


def prepare(index: GuideIndex) -> None:
    """Gives the group its permissions, and every person with the role as a member."""
    group, _ = Group.objects.get_or_create(name=GROUP)
    for permission in Permission.objects.filter(codename__in=ON_PAGES):
        GroupPagePermission.objects.get_or_create(
            group=group, page=index, permission=permission
        )
    root = Collection.get_first_root_node() or Collection.add_root(name="Root")
    for permission in Permission.objects.filter(codename__in=ON_IMAGES):
        GroupCollectionPermission.objects.get_or_create(
            group=group,
            collection=root,
            permission=permission,
        )
    group.user_set.set(Person.objects.filter(staff_roles__role=RoleName.GUIDE_EDITOR))


@receiver(post_save, sender=StaffRole)
def _join(instance: StaffRole, **_: Any) -> None:
    if instance.role == RoleName.GUIDE_EDITOR:
        group, _is_new = Group.objects.get_or_create(name=GROUP)
        instance.person.groups.add(group)


@receiver(post_delete, sender=StaffRole)
def _leave(instance: StaffRole, **_: Any) -> None:
    if instance.role == RoleName.GUIDE_EDITOR:
        instance.person.groups.remove(*Group.objects.filter(name=GROUP))
