from __future__ import annotations

import pytest

from engine.registry.addresses.display_names import check_name, imitates_service
from engine.registry.errors import PolicyError


@pytest.mark.parametrize(
    "name",
    [
        "Helpdesk",
        "IT Help-Desk",
        "The Support Team",
        "Postern",
        "Postern Support",
        "PosternHelpdesk",
        "P o s t e r n",
        "Jane (Postern Helpdesk)",
        "Jane, Helpdesk",
        "Jane Hill \u2013 Postmaster",
        "Jane at Postern",
        "P\u043est\u0435rn",
        "Administrator",
    ],
)
def test_names_of_the_service_are_its_own(name: str) -> None:
    assert imitates_service(name)
    with pytest.raises(PolicyError, match="could be mistaken for this service"):
        check_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "Northgate Helpdesk",
        "Jane Postern",
        "Postern Gate Chambers",
        "Jane Hill (Security)",
        "Victim Support",
        "Accounts",
        "Admin",
        "Post Ernest",
        "Reception @ Northgate",
        "Jose\u0301 Núñez",
        "Jane-Anne O'Neill",
    ],
)
def test_names_of_others_are_theirs(name: str) -> None:
    check_name(name)


def test_an_office_that_says_whose_it_is_may_say_it_first() -> None:
    assert imitates_service("Helpdesk, Northgate Council")
    assert not imitates_service(
        "Helpdesk, Northgate Council", organisation="Northgate Council"
    )
    assert imitates_service(
        "Northgate, Postern Helpdesk", organisation="Northgate Council"
    )


@pytest.mark.parametrize("name", ["ben@court.example", "Ben (ben at [court.example])"])
def test_a_name_with_an_address_is_refused(name: str) -> None:
    with pytest.raises(PolicyError, match="email address"):
        check_name(name.replace(" at [", " (at) ["))


@pytest.mark.parametrize("name", ["Ja\u200bne", "\u202eenaJ", "Jane\u00ad"])
def test_a_name_with_something_unseen_is_refused(name: str) -> None:
    with pytest.raises(PolicyError, match="hidden"):
        check_name(name)
