from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.routing.persistent import ENTRIES, Index, Map

CLAIMS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9)), unique=True)


def test_a_map_made_in_one_pass_has_what_one_made_row_by_row_has() -> None:
    rows = {number: str(number) for number in range(10 * ENTRIES)}
    slowly: Map[int, str] = Map()
    for key, value in rows.items():
        slowly = slowly.changed({key: value})

    assert dict(Map.of(rows)) == dict(slowly) == rows
    assert len(Map.of(rows)) == len(rows)


def test_rows_taken_out_of_an_empty_map_leave_it_empty() -> None:
    assert dict(Map[int, str]().changed({1: None, 2: "b"})) == {2: "b"}


@given(CLAIMS)
def test_an_index_of_first_claims_is_one_made_claim_by_claim(
    claims: list[tuple[str, int]],
) -> None:
    slowly: Index[str] = Index()
    for claim in claims:
        slowly = slowly.changed((), [claim])

    empty: Index[str] = Index()
    assert dict(empty.changed((), claims).claims) == dict(slowly.claims)
