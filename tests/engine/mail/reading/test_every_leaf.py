"""Every leaf of any MIME tree is shown or offered, once, wherever messages are read.

`MIME_TREES=10000` sets how many trees are drawn for each place.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from engine.mail.message import split
from engine.mail.mime.part_walker import strict_tree
from engine.mail.reading import attachments
from portal.webmail.rendering import parsed_message
from tests.engine.mail.mime_trees import Leaf, Node, trees, written
from tests.engine.mail.reading import surfaces
from tests.engine.mail.reading.surfaces import Seen

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("MIME_TREES", "100"))
# Seconds for one message of a few kilobytes; a hundred times what it takes.
PATIENCE = 5.0
MANY = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
Surface = Callable[[bytes], Seen]


def in_time(surface: Surface, root: Node) -> Seen:
    began = time.perf_counter()
    seen = surface(written(root))
    assert time.perf_counter() - began < PATIENCE
    return seen


def own_leaves(node: Node) -> Iterator[Leaf]:
    """Yields the leaves of a message, not those of the messages attached to it."""
    if isinstance(node, Leaf):
        yield node
        return
    for child in node.children:
        yield from own_leaves(child)


def has_leaf(seen: Seen, leaf: Leaf) -> bool:
    if leaf.inner is not None:
        whole = written(leaf.inner).strip()
        return any(whole in file for file in seen.files)
    return seen.has(leaf.marks[0], leaf.word)


def has_inside(seen: Seen, leaf: Leaf) -> bool:
    """Whether a file that is uuencoded in a text is offered."""
    return not leaf.holds_file or seen.has(leaf.file_mark, leaf.file_mark)


def missing(node: Node, seen: Seen) -> list[Leaf]:
    """Returns what is neither shown nor offered; one form of several is enough."""
    if isinstance(node, Leaf):
        return [] if has_leaf(seen, node) else [node]
    if node.kind != "alternative":
        return [leaf for child in node.children for leaf in missing(child, seen)]
    lost = [missing(child, seen) for child in node.children]
    found = [leaf for leaves in lost for leaf in leaves if not leaf.is_words]
    forms = [
        [leaf for leaf in leaves if leaf.is_words]
        for leaves, child in zip(lost, node.children, strict=True)
        if any(leaf.is_words for leaf in own_leaves(child))
    ]
    return found + min(forms, key=len, default=[])


def repeated(root: Node, seen: Seen) -> list[Leaf]:
    """Returns what is given twice. A word may be part of that of a file inside it."""
    words = [leaf for leaf in own_leaves(root) if leaf.inner is None]
    return [leaf for leaf in words if seen.most(f"{leaf.marks[0]} ") > 1]


@MANY
@given(root=trees())
def test_webmail_leads_to_every_leaf(root: Node) -> None:
    seen = in_time(surfaces.webmail, root)

    check_page(root, seen)


def check_page(root: Node, seen: Seen) -> None:
    """Checks a message and each that is attached to it and opens in its turn."""
    own = list(own_leaves(root))
    assert [leaf for leaf in own if not has_leaf(seen, leaf)] == []
    assert [leaf for leaf in own if not has_inside(seen, leaf)] == []
    assert repeated(root, seen) == []
    inner = [leaf.inner for leaf in own if leaf.inner is not None]
    opened = [page for page in seen.messages if page.views != [""] or page.files]
    for node, page in zip(inner, opened, strict=True):
        check_page(node, page)


@MANY
@given(root=trees())
def test_a_message_has_attachments_where_webmail_lists_one(root: Node) -> None:
    raw = written(root)
    listed = parsed_message.parse_message(raw).attachments

    assert attachments.has_attachments(*split(raw)) is bool(listed)
    # From the tree in which files are looked for as well, also in attached messages.
    assert attachments.offers_files(strict_tree(*split(raw))) is bool(listed)


@pytest.mark.parametrize(
    "surface",
    [
        surfaces.text_view,
        surfaces.printed,
        surfaces.forward,
        surfaces.edit_as_new,
        surfaces.api,
        surfaces.ticket,
    ],
)
@MANY
@given(root=trees())
def test_what_carries_files_leaves_no_leaf_out(surface: Surface, root: Node) -> None:
    seen = in_time(surface, root)

    assert missing(root, seen) == []
    assert [leaf for leaf in own_leaves(root) if not has_inside(seen, leaf)] == []
    assert repeated(root, seen) == []


@pytest.mark.parametrize("surface", [surfaces.reply, surfaces.console_outbox])
@MANY
@given(root=trees())
def test_what_carries_words_alone_leaves_no_words_out(
    surface: Surface, root: Node
) -> None:
    seen = in_time(surface, root)

    assert [leaf for leaf in missing(root, seen) if leaf.is_words] == []
    assert repeated(root, seen) == []


@MANY
@given(root=trees())
def test_a_search_finds_all_words(root: Node) -> None:
    seen = in_time(surfaces.search, root)

    folded = [leaf for leaf in missing(root, seen) if leaf.is_words]
    lost = [leaf for leaf in folded if not seen.has(leaf.word, leaf.word)]
    assert lost == []
