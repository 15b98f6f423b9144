"""The recipients that a line of a list names: each with an address, never by name alone.

Names in To and Cc were typed by somebody, or came with a message that was answered, so
that anybody may have chosen them. They are read from the header, which holds both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from engine.mail import lookalike
from engine.mail.address_list import NamedAddress, named_addresses
from engine.mail.header import HeaderBlock
from engine.storage.models import Content, Message

# Recipients that a line names, and where counting the others stops.
SHOWN = 2
COUNTED = 25

_FIELDS = ("To", "Cc", "Bcc")
# Headers held at once: each may have 256 KiB.
_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Addressees:
    """The first recipients of a message, and how many more it has.

    `more` is None where counting stopped. `text` is what stands in To where no address
    can be made out in it, such as "undisclosed-recipients:;".
    """

    first: tuple[NamedAddress, ...] = ()
    more: int | None = 0
    text: str = ""


def of_messages(
    messages: Iterable[Message], *, shown: int = SHOWN
) -> dict[int, Addressees]:
    """The recipients of each message, by its id. One query, none without messages."""
    by_content: dict[int, list[int]] = {}
    for message in messages:
        by_content.setdefault(message.content_id, []).append(message.pk)
    if not by_content:
        return {}
    rows = Content.objects.filter(pk__in=by_content).order_by()
    found = {}
    for pk, header in rows.values_list("pk", "header").iterator(_AT_ONCE):
        addressees = read(HeaderBlock.salvage(bytes(header)), shown=shown)
        found.update(dict.fromkeys(by_content[pk], addressees))
    return found


def read(header: HeaderBlock, *, shown: int = SHOWN) -> Addressees:
    """The recipients that a header names, each once and in the order of its fields.

    `shown` of them at most, which is no more than COUNTED.
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
