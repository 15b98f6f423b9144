"""The language of MTA-STS, by its examples and by anything at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.transport.sts_policy import Mode, StsError, StsPolicy, policy_id

EXAMPLE = (
    b"version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\n"
    b"mx: *.example.net\r\nmx: backupmx.example.com\r\nmax_age: 604800\r\n"
)


def test_example_of_the_rfc():
    policy = StsPolicy.parse(EXAMPLE)

    assert policy.mode is Mode.ENFORCE
    assert policy.max_age == 604800
    assert policy.lists("Mail.Example.com.")
    assert policy.lists("a.example.net")
    assert not policy.lists("a.b.example.net")
    assert not policy.lists("example.net")
    assert not policy.lists("mail.example.com.evil.test")
    assert StsPolicy.parse(str(policy).encode()) == policy


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        (b"STSv1", b"STSv2", "version"),
        (b"enforce", b"Enforce", "mode"),
        (b"mode: enforce\r\n", b"", "mode"),
        (b"604800", b"-1", "max_age"),
        (b"604800", b"99999999999", "max_age"),
        (b"604800", "٣".encode(), "max_age"),
        (b"max_age: 604800\r\n", b"", "max_age"),
        (b"mail.example.com", b"*", "mx"),
        (b"mail.example.com", b"mail.*.com", "mx"),
        (b"mail.example.com", b"mail..com", "mx"),
        (b"mail.example.com", b"x" * 64 + b".com", "mx"),
        (b"mode:", b"mode", "line"),
        (b"STSv1", b"STSv1\xff", "text"),
        (b"max_age", b"#" * 70_000 + b"max_age", "long"),
        (b"mx:", b"my:", "no host"),
    ],
)
def test_what_is_not_in_the_grammar_is_no_policy(before, after, why):
    with pytest.raises(StsError, match=why):
        StsPolicy.parse(EXAMPLE.replace(before, after))


def test_unknown_keys_and_repeated_ones_change_nothing():
    longer = EXAMPLE + b"mode: none\nextension: any thing\n\n"

    assert StsPolicy.parse(longer) == StsPolicy.parse(EXAMPLE)


def test_policy_of_a_century_lasts_a_year():
    assert (
        StsPolicy.parse(EXAMPLE.replace(b"604800", b"9999999999")).max_age == 31557600
    )


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (["v=STSv1; id=20160831085700Z;"], "20160831085700Z"),
        (["v=STSv1;id=1"], "1"),
        (["v=STSv1 ; id=1 ; x=y"], "1"),
        (["v=spf1 -all", "v=STSv1; id=1;"], "1"),
        (["v=STSv1; id=1;", "v=STSv1; id=2;"], ""),
        (["v=STSv1; id=1; id=2;"], ""),
        (["v=STSv10; id=1;"], ""),
        (["v=STSv1; id=" + "1" * 33], ""),
        (["v=STSv1; id=a_b"], ""),
        (["v=STSv1; id=1; nonsense"], ""),
        (["v=STSv1;"], ""),
        ([" v=STSv1; id=1;"], ""),
        ([], ""),
    ],
)
def test_id_of_the_record(records, expected):
    assert policy_id(records) == expected


@given(st.lists(st.text(max_size=60).map("v=STSv1;".__add__), max_size=2))
def test_any_record_has_an_id_of_letters_and_digits_or_none(records):
    found = policy_id(records)

    assert found == "" or (found.isascii() and found.isalnum() and len(found) <= 32)


LINES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(EXAMPLE.splitlines()),
    st.builds(b"mx: %b".__mod__, st.binary(max_size=40)),
)


@given(st.lists(LINES, max_size=12).map(b"\r\n".join))
def test_anything_is_a_policy_that_reads_the_same_again_or_is_refused(octets):
    try:
        policy = StsPolicy.parse(octets)
    except StsError:
        return
    assert policy.hosts or policy.mode is Mode.NONE
    assert StsPolicy.parse(str(policy).encode()) == policy


def test_many_blanks_are_read_at_once():
    blanks = " " * 60_000
    padded = EXAMPLE.replace(b"mode: ", f"mode: {blanks}".encode())

    with pytest.raises(StsError, match="mode"):
        StsPolicy.parse(
            padded.replace(b"enforce", b"x" + blanks.encode()[:3_000] + b"y")
        )
    assert StsPolicy.parse(padded) == StsPolicy.parse(EXAMPLE)
    assert policy_id([f"v=STSv1;{blanks}id=1{blanks}x"]) == ""
