"""How long searches and suggestions take in a directory of a whole country.

Always the same 478,000 people in 10,000 organisations, in the database named by
POSTERN_DATABASE_URL, or else in SQLite. Run it on PostgreSQL by `python -m
tests.peers.postgres python -m tests.benchmarks.directory`.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TypeVar

from tests.benchmarks import ready

# isort: split
from django.core.management import call_command
from django.db import connection

from engine.registry import directory
from engine.registry.directory import EntryKind, index
from engine.registry.models import (
    AccountType,
    DistributionList,
    Kind,
    Organisation,
    OrganisationStatus,
    Person,
)
from tests.peers.process import remove_folder

TARGET = 50  # milliseconds at the 95th percentile
ROUNDS = 40  # repetitions of each query
FIRST = [
    "Jane",
    "John",
    "David",
    "Susan",
    "Paul",
    "Sarah",
    "Mark",
    "Karen",
    "Andrew",
    "Siân",
    "Mohammed",
    "Aisha",
    "Peter",
    "Linda",
    "James",
    "Emma",
    "Robert",
    "Laura",
    "Michael",
    "Helen",
    "Zoë",
    "Aled",
    "Priya",
    "Tom",
    "Oliver",
    "Grace",
    "Harry",
    "Nia",
    "Omar",
    "Ruth",
    "Simon",
    "Tanya",
    "Ugo",
    "Victor",
    "Wendy",
    "Xanthe",
    "Yusuf",
    "Bethan",
    "Colin",
    "Dawn",
]
LAST = [
    "Smith",
    "Jones",
    "Taylor",
    "Brown",
    "Williams",
    "Wilson",
    "Johnson",
    "Davies",
    "Patel",
    "Robinson",
    "Wright",
    "Thompson",
    "Evans",
    "Walker",
    "White",
    "Roberts",
    "Green",
    "Hall",
    "Wood",
    "Harris",
    "O’Neill",
    "Ahmed",
    "Khan",
    "Clarke",
    "Jackson",
    "Lewis",
    "Hughes",
    "Edwards",
    "Hill",
    "Cooper",
    "Ward",
    "Turner",
    "Martin",
    "Morris",
    "Moore",
    "Lee",
    "King",
    "Baker",
    "Allen",
    "Scott",
    "Watson",
    "Parker",
    "Bennett",
    "Gray",
    "Begum",
    "Smith-Jones",
    "Fox",
    "Ali",
]
TOWNS = [
    "Leeds",
    "Cardiff",
    "London",
    "Hull",
    "York",
    "Bristol",
    "Swansea",
    "Bath",
    "Derby",
    "Truro",
]
WORDS = [
    "Harbour",
    "Northfield",
    "Chapel",
    "Bridge",
    "Castle",
    "River",
    "Market",
    "Abbey",
    "Forest",
    "Mill",
]
M = TypeVar("M")


def main() -> None:
    options = _options()
    call_command("migrate", verbosity=0)
    began = time.perf_counter()
    viewer = _populate(options.organisations, options.people)
    count = index.rebuild()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    took = time.perf_counter() - began
    print(f"{connection.vendor}: {count} entries, loaded and indexed in {took:.0f} s")
    for name, ask in _questions(viewer).items():
        _measure(name, ask)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--organisations", type=int, default=10_000)
    parser.add_argument("--people", type=int, default=478_000)
    return parser.parse_args()


def _populate(organisations: int, people: int) -> Person:
    """Creates the rows directly, without the registry's verbs. Returns one person."""
    chance = random.Random(20)
    made = [_organisation(number, chance) for number in range(organisations)]
    Organisation.objects.bulk_create(made, batch_size=1000)
    lists = (
        DistributionList(address=f"all@o{n}.example", name="All staff", organisation=o)
        for n, o in enumerate(made)
    )
    for batch in _batches(lists):
        DistributionList.objects.bulk_create(batch)
    rows = (_person(number, chance.choice(made), chance) for number in range(people))
    for batch in _batches(rows):
        Person.objects.bulk_create(batch)
    return Person.objects.select_related("organisation").first()


def _organisation(number: int, chance: random.Random) -> Organisation:
    return Organisation(
        name=f"{chance.choice(WORDS)} {chance.choice(LAST)} {number}",
        kind=chance.choice(Kind.values),
        account_type=AccountType.SMTP,
        status=OrganisationStatus.ACTIVE,
        town=chance.choice(TOWNS),
    )


def _person(number: int, organisation: Organisation, chance: random.Random) -> Person:
    first = chance.choice(FIRST)
    # One in eighty is a Smith, as in Britain; most last names are rare.
    common = LAST[min(int(chance.expovariate(0.08)), len(LAST) - 1)]
    last = common if chance.random() < 0.16 else f"{_rare(chance)}{common}".title()
    return Person(
        address=f"{first}.{last}{number}@o{organisation.pk}.example".lower(),
        name=f"{first} {last}",
        organisation=organisation,
        job_title=chance.choice(["Clerk", "Solicitor", "Officer", "Manager"]),
        is_ex_directory=chance.random() < 0.02,
    )


def _rare(chance: random.Random) -> str:
    return "".join(chance.choice("aeioulnrst") for _ in range(3))


def _batches(rows: Iterator[M]) -> Iterator[list[M]]:
    while batch := list(islice(rows, 2000)):
        yield batch


def _questions(viewer: Person) -> dict[str, Callable[[], object]]:
    def searched(text: str, **filters: object) -> Callable[[], object]:
        return lambda: directory.search(text, viewer=viewer, **filters)

    def suggested(text: str) -> Callable[[], object]:
        return lambda: directory.suggest(text, viewer=viewer)

    return {
        "search smith": searched("smith"),
        "search smith j": searched("smith j"),
        "search s": searched("s"),
        "search jane smith leeds": searched("jane smith", town="Leeds"),
        "search oneill solicitor": searched("oneill solicitor"),
        "search nobody zzz": searched("jane zzz"),
        "search clerk, police": searched("clerk", kind=Kind.POLICE),
        "search lists": searched("harbour", kinds=[EntryKind.LIST]),
        "search one organisation": searched("", organisation=viewer.organisation_id),
        "search everything": searched(""),
        "search smith, far page": searched("smith", after=str(2 * 10**18)),
        "suggest j": suggested("j"),
        "suggest sm": suggested("sm"),
        "suggest jane smi": suggested("jane smi"),
        "suggest j s o": suggested("j s o"),
        "suggest an address": suggested(viewer.address),
    }


def _measure(name: str, ask: Callable[[], object]) -> None:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        ask()
        times.append((time.perf_counter() - began) * 1000)
    p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    verdict = "" if p95 <= TARGET else f"  over {TARGET}"
    print(f"{name:28} p50 {p50:7.1f} ms   p95 {p95:7.1f} ms{verdict}", flush=True)


if __name__ == "__main__":
    try:
        main()
    finally:
        connection.close()
        remove_folder(ready.FOLDER)
