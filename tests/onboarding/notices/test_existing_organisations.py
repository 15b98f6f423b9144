from __future__ import annotations

from engine.registry.actions import domains
from engine.registry.models import Organisation, Person
from onboarding.notices.existing_organisations import find_existing_organisation
from onboarding.vetting.sponsors import find_sponsor_organisation


def test_who_reads_mail_in_a_members_domain_is_told_of_it(
    firm: Organisation,
) -> None:
    known = find_existing_organisation("jane@firm.example")

    assert known is not None
    assert known.member == firm


def test_a_domain_that_is_only_claimed_makes_nobody_known_and_vouches_for_nobody(
    fenland: Organisation, olive: Person
) -> None:
    domains.add(fenland, member_domain="victim.example", by=None)

    assert find_existing_organisation("jane@victim.example") is None
    assert find_sponsor_organisation("jane@victim.example") is None
