"""Hypothesis strategies for address lists that are valid by construction."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from engine.mail.address import Address

TO_COMMUNITY = {
    "firm.example": "firm.example.secure.example",
    "org.example": "org.secure.example",
}
TO_MEMBER = {community: member for member, community in TO_COMMUNITY.items()}

ATEXT = "abcXYZ019!#$%&'*+-/=?^_`{|}~"


def to_community(address: Address) -> Address:
    return address.at(TO_COMMUNITY.get(address.domain, address.domain))


def to_member(address: Address) -> Address:
    return address.at(TO_MEMBER.get(address.domain, address.domain))


@dataclass(frozen=True)
class Written:
    """An element of a list, with a placeholder for the domain of its address."""

    before: str
    local: str
    domain: str
    after: str

    def at(self, domain: str) -> str:
        return f"{self.before}{domain}{self.after}"


def lists(elements: list[Written], mapping: dict[str, str]) -> bytes:
    """Returns the header value, and what it must be after the mapping."""
    return ",".join(
        element.at(mapping.get(element.domain, element.domain)) for element in elements
    ).encode()


spaces = st.sampled_from(["", " ", "  ", "\t", "\r\n ", " \r\n\t"])
comment_text = st.text(st.sampled_from('ab ,;:<>@."é'), max_size=8)
comments = st.recursive(
    st.one_of(comment_text, st.sampled_from(["\\)", "\\(", "jane@firm.example"])),
    lambda inner: st.lists(inner, max_size=3).map(lambda parts: f"({''.join(parts)})"),
    max_leaves=6,
).map(lambda text: f"({text})")
cfws = st.lists(st.one_of(spaces, comments), max_size=3).map("".join)

atoms = st.text(st.sampled_from(ATEXT), min_size=1, max_size=8)
quoted_strings = st.lists(
    st.one_of(
        st.text(st.sampled_from("ab ,;:<>@().é\t"), max_size=6),
        st.sampled_from(['\\"', "\\\\", "jane@firm.example", "<jane@org.example>"]),
    ),
    max_size=4,
).map(lambda parts: f'"{"".join(parts)}"')
encoded_words = st.sampled_from(
    ["=?utf-8?q?J=C3=A4ne?=", "=?iso-8859-1?B?amFuZUBmaXJtLmV4YW1wbGU=?=", "=?x?y?z?="]
)
phrases = st.lists(
    st.tuples(cfws, st.one_of(atoms, quoted_strings, encoded_words)).map("".join),
    max_size=3,
).map(" ".join)

dot_atoms = st.lists(atoms, min_size=1, max_size=3).map(".".join)
quoted_locals = st.text(st.sampled_from("ab @,<>()."), min_size=1, max_size=8).map(
    lambda text: f'"{text}"'
)
locals_ = st.one_of(dot_atoms, quoted_locals, st.sampled_from(["jänner", "李"]))
domains = st.sampled_from([*TO_COMMUNITY, *TO_MEMBER, "other.example", "a.b.example"])


@st.composite
def elements(draw: st.DrawFn) -> Written:
    local, domain = draw(locals_), draw(domains)
    lead, around_at, trail = draw(cfws), draw(st.tuples(cfws, cfws)), draw(cfws)
    spelt = f"{local}{around_at[0]}@{around_at[1]}"
    if draw(st.booleans()):
        before = f"{draw(phrases)}{lead}<{draw(cfws)}{spelt}"
        return Written(before, local, domain, f"{draw(cfws)}>{trail}")
    if draw(st.booleans()):
        group = f"{draw(cfws)}{draw(atoms)}{draw(cfws)}:"
        return Written(f"{group}{lead}{spelt}", local, domain, f"{trail};")
    return Written(f"{lead}{spelt}", local, domain, trail)


address_lists = st.lists(elements(), min_size=1, max_size=4)
