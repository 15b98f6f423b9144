"""Who holds the role in the registry, and nobody else, edits guides in Wagtail."""

from __future__ import annotations

import pytest
from wagtail.models import Collection, GroupCollectionPermission, GroupPagePermission

from engine.registry.models import Person, RoleName
from portal.guides import editor_permissions
from portal.guides.models import GuideIndex
from tests import factories
from tests.portal.guides.conftest import GuideFolder

pytestmark = pytest.mark.django_db


def is_editor(person: Person) -> bool:
    return person.groups.filter(name=editor_permissions.GROUP).exists()


def test_who_gets_the_role_joins_and_who_loses_it_leaves(bob: Person) -> None:
    role = factories.make_staff(bob, RoleName.GUIDE_EDITOR)
    other = factories.make_staff(bob, RoleName.AUDITOR)
    assert is_editor(bob)

    other.delete()
    assert is_editor(bob)

    role.delete()
    assert not is_editor(bob)


def test_another_role_makes_no_editor(bob: Person) -> None:
    factories.make_staff(bob, RoleName.OPERATOR)

    assert not is_editor(bob)


def test_preparing_gives_the_group_its_permissions_and_members(
    guide_folder: GuideFolder, alice: Person, bob: Person
) -> None:
    guide_folder.write("first", "Text")
    guide_folder.load()
    factories.make_staff(bob, RoleName.GUIDE_EDITOR)
    bob.groups.clear()
    index = GuideIndex.objects.get()

    for _ in range(2):
        editor_permissions.prepare(index)

    on_pages = GroupPagePermission.objects.filter(group__name=editor_permissions.GROUP)
    assert {one.permission.codename for one in on_pages} == {
        "add_page",
        "change_page",
        "publish_page",
    }
    assert {one.page_id for one in on_pages} == {index.pk}
    on_images = GroupCollectionPermission.objects.filter(
        group__name=editor_permissions.GROUP
    )
    assert {one.permission.codename for one in on_images} == {
        "add_image",
        "change_image",
        "choose_image",
    }
    root = Collection.get_first_root_node()
    assert {one.collection_id for one in on_images} == {root.pk}
    assert is_editor(bob)
    assert not is_editor(alice)
