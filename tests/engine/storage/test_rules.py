from __future__ import annotations

import pytest

from engine.registry.errors import PolicyError
from engine.registry.models import Mailbox, Person
from engine.storage import folder_actions, rules
from engine.storage.models import AutomaticMail, AutomaticMailKind, FolderRole, Rule
from engine.storage.standard_folders import folder
from tests.attachment_cases import CASES, letter
from tests.engine.storage.conftest import compose_message, deliver, named_address


def create_rule(mailbox: Mailbox, **over: object) -> Rule:
    fields: dict[str, object] = {"name": "Rule", "subject_contains": "hearing"}
    return rules.save(Rule(mailbox=mailbox, **(fields | over)), by=mailbox.owner)


def test_a_rule_files_what_arrives(mailbox: Mailbox) -> None:
    cases = folder_actions.create(mailbox, name="Cases")
    create_rule(mailbox, folder=cases, marks_read=True, flags=True)

    message = deliver(mailbox)

    assert message.folder == cases
    assert message.is_read and message.is_flagged


@pytest.mark.parametrize(
    "conditions",
    [
        {"from_contains": "JANE"},
        {"from_contains": "firm.example"},
        {"to_contains": "listing@"},
        {"subject_contains": "hearing", "from_contains": "jones"},
        {"larger_than": 10},
    ],
)
def test_a_rule_matches(mailbox: Mailbox, conditions: dict[str, object]) -> None:
    create_rule(mailbox, **({"subject_contains": "", "flags": True} | conditions))
    cc = [named_address("Listing", "listing@northfield.secure.example")]

    assert deliver(mailbox, compose_message(cc=cc)).is_flagged


@pytest.mark.parametrize(
    "conditions",
    [
        {"from_contains": "bob"},
        {"to_contains": "listing@"},
        {"subject_contains": "hearing", "from_contains": "smith"},
        {"larger_than": 10**6},
        {"has_attachments": True},
    ],
)
def test_a_rule_leaves_the_rest_alone(
    mailbox: Mailbox, conditions: dict[str, object]
) -> None:
    create_rule(mailbox, **({"subject_contains": "", "flags": True} | conditions))

    assert not deliver(mailbox).is_flagged


def test_rules_are_tried_in_order_until_one_says_stop(mailbox: Mailbox) -> None:
    last = create_rule(mailbox, flags=True)
    stop = create_rule(mailbox, marks_read=True, stops=True)

    rules.swap(stop, earlier=True)
    message = deliver(mailbox)

    assert message.is_read and not message.is_flagged
    assert list(mailbox.rules.all()) == [stop, last]


def test_junk_by_rule_goes_for_good_in_time(mailbox: Mailbox) -> None:
    create_rule(mailbox, folder=folder(mailbox, FolderRole.JUNK))

    assert deliver(mailbox).expires_at is not None


def test_a_forward_is_written_down_with_the_delivery(
    mailbox: Mailbox, charlie: Person
) -> None:
    create_rule(mailbox, forward_to=charlie.address)

    message = deliver(mailbox)
    deliver(mailbox, sender="")

    automatic = AutomaticMail.objects.get()
    assert (automatic.kind, automatic.message, automatic.target) == (
        AutomaticMailKind.FORWARD,
        message,
        charlie.address,
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"subject_contains": "", "flags": True}, "Choose which messages"),
        ({}, "Choose what happens"),
        ({"forward_to": "x@gmail.example"}, "an existing address in the community"),
        ({"forward_to": "no address"}, "an existing address in the community"),
        (
            {"forward_to": "nobody@harbour.secure.example"},
            "an existing address in the community",
        ),
        ({"forward_to": "bob@northfield.secure.example"}, "cannot forward to itself"),
    ],
)
def test_a_rule_without_sense_is_refused(
    mailbox: Mailbox, fields: dict[str, object], sentence: str
) -> None:
    with pytest.raises(PolicyError, match=sentence):
        create_rule(mailbox, **fields)


def test_a_rule_cannot_file_into_the_mailbox_of_another(
    mailbox: Mailbox, charlie: Person
) -> None:
    with pytest.raises(PolicyError, match="folder of this mailbox"):
        create_rule(mailbox, folder=folder(charlie.mailbox, FolderRole.INBOX))


def test_a_mailbox_has_so_many_rules_and_no_more(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Rule, "MAX_RULES", 1)
    create_rule(mailbox, flags=True)

    with pytest.raises(PolicyError, match="at most 1 rules"):
        create_rule(mailbox, flags=True)


def test_a_rule_is_applied_to_what_is_there_already(
    mailbox: Mailbox, charlie: Person
) -> None:
    messages = [deliver(mailbox) for _ in range(3)]
    deliver(mailbox, compose_message(subject="Lunch"))
    rule = create_rule(mailbox, flags=True, forward_to=charlie.address)

    assert rules.run_now(rule, folder(mailbox, FolderRole.INBOX)) == 3
    assert set(mailbox.messages.filter(is_flagged=True)) == set(messages)
    assert not AutomaticMail.objects.exists()


def test_a_large_folder_is_done_in_slices_each_of_which_may_run_twice(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "CHUNK", 2)
    monkeypatch.setattr(rules, "CHUNKS_AT_ONCE", 1)
    messages = [deliver(mailbox) for _ in range(5)]
    archive = folder(mailbox, FolderRole.ARCHIVE)
    rule = create_rule(mailbox, folder=archive)
    inbox = folder(mailbox, FolderRole.INBOX)

    first = rules.run_slice(rule, inbox, after=0)
    again = rules.run_slice(rule, inbox, after=0)
    assert first == messages[1].pk
    assert again == messages[3].pk
    left: int | None = first
    while left is not None:
        left = rules.run_slice(rule, inbox, after=left)

    assert archive.messages.count() == 5


@pytest.mark.parametrize("case", CASES)
def test_a_rule_about_attachments_goes_by_what_is_offered(
    mailbox: Mailbox, case: str
) -> None:
    rule = create_rule(mailbox, subject_contains="", has_attachments=True, flags=True)
    arrived = deliver(mailbox, letter(case))
    arrived.is_flagged, was_flagged = False, arrived.is_flagged
    arrived.save()

    changed = rules.run_now(rule, folder(mailbox, FolderRole.INBOX))

    assert was_flagged is bool(changed) is CASES[case]
