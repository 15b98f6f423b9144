from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.mail.address import Address, InvalidAddressError
from engine.routing.suffix import AmbiguousPairError, DomainMap

FIRM = ("firm.example", "firm.example.secure.example")
EXCEPTION = ("org.com", "org.secure.example")
TRUSTED = ("police.example", "police.example")
MAP = DomainMap.of([FIRM, EXCEPTION, TRUSTED])

_label = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True).filter(
    lambda label: "--" not in label
)
_member_domains = st.builds(lambda name: f"{name}.example", _label)
_local_parts = st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}", fullmatch=True)


@st.composite
def domain_maps(draw):
    """Draws realistic maps: most domains suffixed, some exceptions, some unchanged."""
    pairs = []
    for position, member in enumerate(draw(st.sets(_member_domains, min_size=1))):
        community = draw(
            st.sampled_from(
                [f"{member}.secure.example", f"x{position}.secure.example", member]
            )
        )
        pairs.append((member, community))
    return DomainMap.of(pairs)


@given(domain_maps(), _local_parts, st.data())
@settings(deadline=None, database=None)
def test_mapping_there_and_back_changes_nothing(domains, local, data):
    member, community = data.draw(st.sampled_from(sorted(domains.pairs)))
    written, known = Address(local, member), Address(local, community)

    assert domains.to_community(written) == known
    assert domains.to_member(known) == written
    assert domains.to_member(domains.to_community(written)) == written
    assert domains.to_community(domains.to_member(known)) == known


@given(domain_maps(), _local_parts, st.data())
@settings(deadline=None, database=None)
def test_mapping_twice_is_mapping_once(domains, local, data):
    domain = data.draw(st.sampled_from([d for pair in domains.pairs for d in pair]))
    address = Address(local, domain)

    once, back = domains.to_community(address), domains.to_member(address)

    assert domains.to_community(once) == once
    assert domains.to_member(back) == back


@given(domain_maps(), _local_parts, _label)
@settings(deadline=None, database=None)
def test_mapping_leaves_strangers_alone(domains, local, label):
    stranger = Address(local, f"{label}.elsewhere.test")

    assert domains.to_community(stranger) == stranger
    assert domains.to_member(stranger) == stranger
    assert not domains.covers(stranger)


@pytest.mark.parametrize(
    ("member", "community"),
    [
        ("jane@firm.example", "jane@firm.example.secure.example"),
        ("Jane.Doe@firm.example", "Jane.Doe@firm.example.secure.example"),
        ("jane@org.com", "jane@org.secure.example"),
        ("jane@police.example", "jane@police.example"),
        ('"jane doe"@firm.example', '"jane doe"@firm.example.secure.example'),
    ],
)
def test_mapping_of_known_domains(member, community):
    assert str(MAP.to_community(Address.parse(member))) == community
    assert str(MAP.to_member(Address.parse(community))) == member


def test_mapping_compares_domains_without_case():
    assert MAP.to_community(Address.parse("jane@FIRM.Example")) == Address(
        "jane", "firm.example.secure.example"
    )


def test_mapping_compares_international_domains_by_their_a_label():
    domains = DomainMap.of([("xn--bcher-kva.example", "xn--bcher-kva.secure.example")])

    mapped = domains.to_community(Address.parse("jane@Bücher.example"))

    assert str(mapped) == "jane@xn--bcher-kva.secure.example"


def test_mapping_is_by_the_whole_domain_never_its_end():
    lookalikes = [
        "jane@xfirm.example",
        "jane@mail.firm.example",
        "jane@org.com.example",
    ]

    assert [str(MAP.to_community(Address.parse(a))) for a in lookalikes] == lookalikes


def test_mapping_an_exception_does_not_reach_its_usual_form():
    usual = Address.parse("jane@org.com.secure.example")

    assert MAP.to_member(usual) == usual


def test_mapping_past_254_octets_is_refused():
    domain = ".".join(["d" * 60] * 4)
    domains = DomainMap.of([(domain[:200], f"{domain[:200]}.secure.example")])

    with pytest.raises(InvalidAddressError):
        domains.to_community(Address("j" * 53, domain[:200]))


@pytest.mark.parametrize(
    "pairs",
    [
        [("a.example", "a.secure.example"), ("a.example", "b.secure.example")],
        [("a.example", "a.secure.example"), ("b.example", "a.secure.example")],
        [("a.example", "b.example"), ("b.example", "c.example")],
    ],
    ids=["member domain twice", "community domain twice", "one side of each"],
)
def test_map_that_could_not_be_undone_is_refused(pairs):
    with pytest.raises(AmbiguousPairError):
        DomainMap.of(pairs)


def test_covers_both_forms():
    assert MAP.covers(Address.parse("jane@firm.example"))
    assert MAP.covers(Address.parse("jane@firm.example.secure.example"))
    assert not MAP.covers(Address.parse("jane@mail.firm.example"))
