"""The recipients that a line of a message list shows, each with its address.

A name in To or Cc may have been chosen by anybody: the sender typed it, or it came with
the message that was replied to. So a name is never shown alone, and both are read from
the header.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from engine.encryption.errors import UnreadableError
from engine.mail import lookalike
from engine.mail.address_list import NamedAddress, named_addresses
from engine.mail.header import HeaderBlock
from engine.registry.models import Mailbox
from engine.storage import content, content_keys
from engine.storage.content_keys import COMMUNITY, Held
from engine.storage.models import Content, Message

# Recipients that a line names, and the number at which counting the others stops.
SHOWN = 2
COUNTED = 25

_FIELDS = ("To", "Cc", "Bcc")
# Headers in memory at a time: each may have 256 KiB.
_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Addressees:
    """The first recipients of a message, and the number of further ones.

    `more` is None where counting stopped. `text` is the content of To where it has no
    recognisable address, such as "undisclosed-recipients:;".
    """

    first: tuple[NamedAddress, ...] = ()
    more: int | None = 0
    text: str = ""


def of_messages(
    messages: Iterable[Message], *, shown: int = SHOWN
) -> dict[int, Addressees]:
    """Returns the recipients of each message, by its id. One query where none is
    encrypted; none for none."""
    found: dict[int, Addressees] = {}
    for held, same in _loaded(messages):
        addressees = _read_stored(held, shown=shown)
        found.update(dict.fromkeys((message.pk for message in same), addressees))
    return found


def keys_of_all(messages: Iterable[Message]) -> set[str]:
    """Returns the keys of every address that the messages were written to."""
    keys: set[str] = set()
    for held, _ in _loaded(messages):
        with suppress(UnreadableError):
            header = HeaderBlock.salvage(content.header(held))
            keys.update(one.address.key for one in _named(header))
    return keys


def _loaded(messages: Iterable[Message]) -> Iterator[tuple[Held, list[Message]]]:
    """Yields each content of messages with the key to read it, and its messages."""
    by_content: dict[int, list[Message]] = {}
    for message in messages:
        by_content.setdefault(message.content_id, []).append(message)
    if not by_content:
        return
    rows = Content.objects.filter(pk__in=by_content).only("format", "header")
    contents = rows.order_by().iterator(_AT_ONCE)
    while some := list(islice(contents, _AT_ONCE)):
        holders = _holders(by_content[one.pk][0] for one in some if one.is_encrypted)
        held = [Held(one, holders.get(one.pk, COMMUNITY)) for one in some]
        content_keys.load(held)
        yield from ((one, by_content[one.content.pk]) for one in held)


def _holders(messages: Iterable[Message]) -> dict[int, int]:
    """Returns the organisation that holds a message, by the id of the content."""
    mailboxes = {message.content_id: message.mailbox_id for message in messages}
    if not mailboxes:
        return {}
    rows = Mailbox.objects.filter(pk__in=set(mailboxes.values()))
    organisations = dict(rows.values_list("pk", "organisation_id"))
    return {pk: organisations[mailbox] for pk, mailbox in mailboxes.items()}


def _read_stored(held: Held, *, shown: int) -> Addressees:
    try:
        return read(HeaderBlock.salvage(content.header(held)), shown=shown)
    except UnreadableError:
        # The list goes on; opening the message says why.
        return Addressees(text="(cannot be read)")


def read(header: HeaderBlock, *, shown: int = SHOWN) -> Addressees:
    """Returns the recipients that a header names, each once, in the order of its fields.

    At most `shown` of them, which must not exceed COUNTED.
    """
    named = list(islice(_named(header), COUNTED + 1))
    each = {one.address.key: one for one in reversed(named)}
    first = [one for one in named if each[one.address.key] is one][:shown]
    if not first:
        return Addressees(text=lookalike.displayable(header.text("To")))
    is_counted = len(named) <= COUNTED
    return Addressees(tuple(first), len(each) - len(first) if is_counted else None)


def _named(header: HeaderBlock) -> Iterator[NamedAddress]:
    for name in _FIELDS:
        for field in header.all(name):
            yield from named_addresses(field.value)
