from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.authentication import dmarc, dmarc_record
from engine.mail.authentication.dmarc import Dmarc, DmarcResult, Proved
from engine.mail.authentication.dmarc_record import DmarcRecord, Request, Suffix
from engine.mail.authentication.lookup import LookupUnavailable


def evaluate(
    domain: str,
    proved: Proved,
    *,
    is_exact: bool = True,
    **records: str,
) -> DmarcResult:
    """Evaluates with these policies; the domains that they belong to have _ for a dot."""
    texts = {f"_dmarc.{name.replace('_', '.')}": text for name, text in records.items()}
    existing = {name.removeprefix("_dmarc.") for name in texts}

    async def look_up(name: str, kind: str) -> tuple[str, ...] | None:
        if texts.get(name) == "away":
            raise LookupUnavailable(name)
        if kind == "TXT" and name in texts:
            return tuple(texts[name].split("|"))
        return () if name in existing else None

    return asyncio.run(dmarc.evaluate(look_up, domain, proved, is_exact=is_exact))


FIRM = Proved(dkim=["firm.example"])


@pytest.mark.parametrize(
    ("proved", "outcome"),
    [
        (FIRM, Dmarc.PASS),
        (Proved(spf="firm.example"), Dmarc.PASS),
        (Proved(dkim=["other.example", "firm.example"]), Dmarc.PASS),
        (Proved(spf="other.example", dkim=["other.example"]), Dmarc.FAIL),
        (Proved(spf="mail.firm.example"), Dmarc.FAIL),
        (Proved(dkim=["mail.firm.example", "example"]), Dmarc.FAIL),
        (Proved(), Dmarc.FAIL),
        (Proved(is_open=True), Dmarc.TEMPERROR),
        (Proved(spf="firm.example", is_open=True), Dmarc.PASS),
    ],
)
def test_the_authors_own_domain_must_be_proved(proved: Proved, outcome: Dmarc) -> None:
    found = evaluate("firm.example", proved, firm_example="v=DMARC1; p=reject")

    assert (found.outcome, found.domain) == (outcome, "firm.example")
    assert found.request is Request.REJECT


@pytest.mark.parametrize(
    ("author", "tenant"),
    [
        ("kent.pnn.police.uk", "essex.pnn.police.uk"),
        ("council.gov.wales", "other.gov.wales"),
        ("trust.nhs.net", "practice.nhs.net"),
        ("firm.onmicrosoft.com", "hostile.onmicrosoft.com"),
        ("firm.example", "mail.firm.example"),
    ],
)
def test_no_domain_below_one_name_passes_for_another(author: str, tenant: str) -> None:
    above = author.partition(".")[2].replace(".", "_")
    policies = {above: "v=DMARC1; p=reject; adkim=r; aspf=r"}
    proved = Proved(spf=tenant, dkim=[tenant, author.partition(".")[2]])

    assert evaluate(author, proved, **policies).outcome is Dmarc.FAIL
    # Where a community lets them: what the tree walk makes of it.
    relaxed = evaluate(author, proved, is_exact=False, **policies)
    assert relaxed.outcome is Dmarc.PASS


def test_without_a_policy_nothing_is_asked() -> None:
    found = evaluate("firm.example", Proved())

    assert (found.outcome, found.request) == (Dmarc.NONE, Request.NONE)


def test_two_policies_are_none() -> None:
    two = "v=DMARC1; p=reject|v=DMARC1; p=none"

    assert evaluate("firm.example", Proved(), firm_example=two).outcome is Dmarc.NONE


@pytest.mark.parametrize(
    ("policy", "existing", "request_"),
    [
        ("v=DMARC1; p=reject", True, Request.REJECT),
        ("v=DMARC1; p=reject; sp=quarantine", True, Request.QUARANTINE),
        ("v=DMARC1; p=reject; sp=none; np=reject", True, Request.NONE),
        ("v=DMARC1; p=none; sp=none; np=reject", False, Request.REJECT),
        ("v=DMARC1; p=none; sp=none; np=reject; t=y", False, Request.QUARANTINE),
    ],
)
def test_a_domain_without_its_own_policy_has_that_of_its_organisation(
    policy: str, existing: bool, request_: Request
) -> None:
    records = {"firm_example": policy}
    if existing:
        records["a_mail_firm_example"] = "no policy"

    found = evaluate("a.mail.firm.example", Proved(), **records)

    assert (found.outcome, found.request) == (Dmarc.FAIL, request_)


def test_the_policy_of_a_suffix_counts_where_the_organisation_has_none() -> None:
    found = evaluate(
        "a.council.gov.wales", Proved(), gov_wales="v=DMARC1; p=reject; psd=y"
    )

    assert (found.outcome, found.request) == (Dmarc.FAIL, Request.REJECT)


@pytest.mark.parametrize(
    ("records", "signer", "outcome"),
    [
        # The tree walk of RFC 9989 §4.10, with the examples of its appendix in mind.
        ({"firm_example": "v=DMARC1"}, "b.firm.example", Dmarc.PASS),
        ({"firm_example": "v=DMARC1"}, "firm.example", Dmarc.PASS),
        ({"firm_example": "v=DMARC1"}, "xfirm.example", Dmarc.FAIL),
        ({"firm_example": "v=DMARC1; adkim=s"}, "firm.example", Dmarc.FAIL),
        ({"firm_example": "v=DMARC1; psd=y"}, "b.firm.example", Dmarc.FAIL),
        ({"example": "v=DMARC1; psd=y"}, "b.firm.example", Dmarc.PASS),
        (
            {"a_firm_example": "v=DMARC1; psd=n", "firm_example": "v=DMARC1"},
            "b.firm.example",
            Dmarc.FAIL,
        ),
        ({"example": "v=DMARC1"}, "other.example", Dmarc.PASS),
    ],
)
def test_relaxed_alignment_is_within_one_organisation(
    records: dict[str, str], signer: str, outcome: Dmarc
) -> None:
    proved = Proved(dkim=[signer])

    found = evaluate("a.firm.example", proved, is_exact=False, **records)

    assert found.outcome is outcome


def test_a_policy_that_cannot_be_looked_up_may_be_there_later() -> None:
    assert (
        evaluate("firm.example", FIRM, firm_example="away").outcome is Dmarc.TEMPERROR
    )


def test_a_long_name_is_not_walked_label_by_label() -> None:
    names: list[str] = []

    async def look_up(name: str, kind: str) -> tuple[str, ...] | None:
        names.append(name)
        return None

    domain = "a." * 60 + "example"
    asyncio.run(dmarc.evaluate(look_up, domain, Proved(), is_exact=True))

    assert len(names) == dmarc.MAX_NAMES
    assert names[0] == f"_dmarc.{domain}"
    assert names[-1] == "_dmarc.example"


def test_a_public_suffix_is_its_own_organisation() -> None:
    """Whatever its own parent says (RFC 9989 §4.10, step 2)."""
    found = evaluate(
        "gov.example",
        Proved(dkim=["other.example"]),
        is_exact=False,
        gov_example="v=DMARC1; p=reject; psd=y",
        example="v=DMARC1; p=none",
    )

    assert found.outcome is Dmarc.FAIL


@pytest.mark.parametrize(
    ("text", "own", "below"),
    [
        ("v=DMARC1", Request.NONE, Request.NONE),
        ("v=DMARC1;p=reject", Request.REJECT, Request.REJECT),
        ("v = DMARC1 ; P = Reject ; sp = None", Request.REJECT, Request.NONE),
        ("v=DMARC1; p=reject; p=none", Request.REJECT, Request.REJECT),
        ("v=DMARC1; sp=quarantine", Request.NONE, Request.QUARANTINE),
        # RFC 9989 §4.10.1: as if it said p=none.
        ("v=DMARC1; p=rejekt; sp=quarantine", Request.NONE, Request.NONE),
        ("v=DMARC1; p=reject; sp=rejekt", Request.NONE, Request.NONE),
        ("v=DMARC1; p=reject; np=", Request.NONE, Request.NONE),
        (
            "v=DMARC1; nonsense; =; p=quarantine;;",
            Request.QUARANTINE,
            Request.QUARANTINE,
        ),
        ("v=DMARC1; p=reject; t=y", Request.QUARANTINE, Request.QUARANTINE),
    ],
)
def test_a_record_with_errors_keeps_what_can_be_read(
    text: str, own: Request, below: Request
) -> None:
    found = dmarc_record.select([text])

    assert found is not None
    assert (found.own, found.below) == (own, below)


@pytest.mark.parametrize(
    "text",
    ["", "v=DMARC2; p=none", "p=none; v=DMARC1", "v=dmarc1; p=none", "v=DMARC1x"],
)
def test_what_is_no_policy(text: str) -> None:
    assert dmarc_record.select([text]) is None


@given(st.text(max_size=80), st.text("vpsnt=; DMARC1adkimspfyrejcqun", max_size=80))
def test_a_hostile_record_is_read(anything: str, likely: str) -> None:
    for text in (anything, likely, f"v=DMARC1;{anything}", f"v=DMARC1; {likely}"):
        found = dmarc_record.select([text, "v=spf1 -all"])
        assert found is None or isinstance(found, DmarcRecord)
        if found:
            assert found.suffix in Suffix
