from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from engine.audit.models import Entry
from engine.registry.models import (
    DistributionList,
    ListMember,
    Organisation,
    Person,
    Posting,
)
from tests.portal.organisation.conftest import Path


def test_add_a_list(admin_client: Client, path_to: Path) -> None:
    admin_client.post(
        path_to("lists/add/"), {"name": "Crew", "address": "crew", "posting": "members"}
    )

    made = DistributionList.objects.get()
    assert made.address == "crew@northfield.secure.example"
    assert (made.posting, made.is_published) == (Posting.MEMBERS, False)


def test_members_of_any_organisation_are_pasted(
    admin_client: Client,
    path_to: Path,
    duty: DistributionList,
    bob: Person,
    charlie: Person,
    firm: Organisation,
) -> None:
    pasted = (
        f"Bob <{bob.address}>; {charlie.address},\njane@firm.example\r\n"
        f"x@elsewhere.example\n{bob.address}"
    )

    page = admin_client.post(
        path_to(f"lists/{duty.pk}/"), {"addresses": pasted}, follow=True
    ).content.decode()

    assert set(duty.members.values_list("address", flat=True)) >= {
        bob.address,
        charlie.address,
        "jane@firm.example.secure.example",
    }
    assert "3 addresses are members." in page
    assert "x@elsewhere.example is not an address in this community." in page


def test_too_many_addresses_at_a_time_are_refused(
    admin_client: Client, path_to: Path, duty: DistributionList
) -> None:
    pasted = "\n".join(f"p{n}@northfield.secure.example" for n in range(501))

    page = admin_client.post(path_to(f"lists/{duty.pk}/"), {"addresses": pasted})

    assert "up to 500 addresses" in page.content.decode()


@pytest.mark.parametrize("page", ["", "edit/", "switch/"])
def test_every_page_has_a_way_back(
    admin_client: Client, path_to: Path, duty: DistributionList, page: str
) -> None:
    shown = admin_client.get(path_to(f"lists/{duty.pk}/{page}")).text
    back = path_to(f"lists/{duty.pk}/") if page else path_to("lists/")

    assert f'<a href="{back}" class="govuk-back-link">' in shown


def test_remove_members_and_posters(
    admin_client: Client, path_to: Path, duty: DistributionList, alice: Person
) -> None:
    admin_client.post(
        path_to(f"lists/{duty.pk}/posters/"), {"addresses": alice.address}
    )
    assert duty.posters.count() == 1

    for kind in ("members", "posters"):
        admin_client.post(
            path_to(f"lists/{duty.pk}/remove/"),
            {"address": alice.address, "from": kind},
        )

    assert not duty.members.exists()
    assert not duty.posters.exists()
    assert Entry.objects.filter(event="list.member_removed").exists()


def test_nonsense_is_not_removed(
    admin_client: Client, path_to: Path, duty: DistributionList
) -> None:
    page = admin_client.post(
        path_to(f"lists/{duty.pk}/remove/"), {"address": "x"}, follow=True
    ).content.decode()

    assert "is not an address" in page


def test_a_stranger_to_the_community_may_not_post(
    admin_client: Client, path_to: Path, duty: DistributionList
) -> None:
    page = admin_client.post(
        path_to(f"lists/{duty.pk}/posters/"), {"addresses": "x@elsewhere.example"}
    )

    assert "is not an address in this community" in page.content.decode()


def test_edit_suspend_and_resume(
    admin_client: Client, path_to: Path, duty: DistributionList
) -> None:
    path = path_to(f"lists/{duty.pk}/")

    admin_client.post(f"{path}edit/", {"name": "Crew", "posting": "named"})
    admin_client.post(f"{path}switch/", {"reason": "Holidays"})
    duty.refresh_from_db()
    assert (duty.name, duty.posting, duty.is_active) == ("Crew", "named", False)

    admin_client.post(f"{path}switch/")
    duty.refresh_from_db()
    assert duty.is_active


def test_mail_that_came_back_is_shown(
    admin_client: Client, path_to: Path, duty: DistributionList
) -> None:
    duty.members.update(
        failures=3,
        last_failure="550 5.1.1 No such person",
        last_failed_at=timezone.now(),
    )

    assert "Mail is returned" in admin_client.get(path_to("lists/")).content.decode()
    page = admin_client.get(path_to(f"lists/{duty.pk}/")).content.decode()
    assert "550 5.1.1 No such person" in page
    assert "cannot be delivered" in admin_client.get(path_to()).content.decode()


def test_a_thousand_members_come_in_pages_and_few_queries(
    admin_client: Client,
    path_to: Path,
    duty: DistributionList,
    thousand_people: list[Person],
    django_assert_max_num_queries,
) -> None:
    ListMember.objects.bulk_create(
        ListMember(distribution_list=duty, address=p.address) for p in thousand_people
    )

    with django_assert_max_num_queries(19):
        page = admin_client.get(path_to(f"lists/{duty.pk}/"))

    assert page.context["member_count"] == 1001
    assert len(page.context["page"].rows) == 50


def test_many_lists_come_in_pages_and_few_queries(
    admin_client: Client,
    path_to: Path,
    northfield: Organisation,
    django_assert_max_num_queries,
) -> None:
    DistributionList.objects.bulk_create(
        DistributionList(
            address=f"l{n:03}@northfield.secure.example",
            name=f"List {n:03}",
            organisation=northfield,
        )
        for n in range(120)
    )

    with django_assert_max_num_queries(14):
        page = admin_client.get(path_to("lists/")).context["page"]

    assert len(page.rows) == 50
    assert "next" in page.links
