"""The product's own guides: complete, readable, and linking only to what exists."""

from __future__ import annotations

import html
import re
from functools import cache
from pathlib import Path

import pytest

from portal.guides.bundled import guide_files
from portal.guides.choices import Account, Audience, Topic
from portal.guides.rendering import pictures

SOURCES = guide_files.sources()
SLUGS = {source.slug for source in SOURCES}
LONGEST_SENTENCE = 25  # words
MOST_OCTETS = 60 * 1024  # of a picture
ROOT = Path(guide_files.__file__).parents[3]
SCREENS = ("portal", "onboarding", "engine/registry", "engine/storage")
# Their labels are those of other programs.
FOREIGN = {"connect-google", "connect-microsoft-365", "mail-program", "phone"}


def texts(source: guide_files.Source) -> list[str]:
    found: list[str] = []
    for block in walk(source.body):
        value = block["value"]
        if isinstance(value, str):
            found.append(value)
        elif block["type"] == "step":
            found += [value["title"], value["text"]]
        elif block["type"] == "fact":
            found.append(value["meaning"])
    return [re.sub(r"<[^>]+>", "\n", text) for text in found]


def walk(blocks: list) -> list:
    found = []
    for block in blocks:
        found.append(block)
        value = block["value"]
        if block["type"] == "account":
            found += walk(value["parts"])
        elif block["type"] == "facts":
            found += [{"type": "fact", "value": row} for row in value]
        elif block["type"] == "step":
            found += [{"type": "picture", "value": one} for one in value["pictures"]]
    return found


@cache
def screens() -> str:
    """Every template and module that can hold a label, in one text."""
    found = [
        path.read_text()
        for folder in SCREENS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".html", ".py"}
    ]
    seen = re.sub(
        r'<span class="govuk-visually-hidden">.*?</span>', "", "\n".join(found)
    )
    return re.sub(r"\s+", " ", seen)


def test_there_are_guides_for_every_topic() -> None:
    assert {source.facts["topic"] for source in SOURCES} == set(Topic)
    assert len(SOURCES) >= 15


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.slug)
class TestGuide:
    def test_its_facts_are_known_ones(self, source: guide_files.Source) -> None:
        assert source.facts["topic"] in Topic
        assert source.facts.get("audience", "everyone") in Audience
        assert set(source.related) <= SLUGS - {source.slug}
        assert len(source.facts["summary"]) <= 250

    def test_its_links_lead_to_guides(self, source: guide_files.Source) -> None:
        linked = re.findall(r'href="/guides/([^/"]*)/"', str(source.body))
        assert set(linked) <= SLUGS

    def test_its_accounts_are_known_ones(self, source: guide_files.Source) -> None:
        for block in walk(source.body):
            if block["type"] == "account":
                assert set(block["value"]["accounts"]) <= set(Account)

    def test_its_sentences_are_short(self, source: guide_files.Source) -> None:
        sentences = [
            sentence
            for text in [source.facts["summary"], *texts(source)]
            for sentence in re.split(r"(?<=[.!?:;])\s+|\n", text)
        ]
        long = [
            s for s in sentences if len(re.findall(r"[\w’'-]+", s)) > LONGEST_SENTENCE
        ]
        assert long == []

    def test_the_labels_in_bold_are_on_a_screen(
        self, source: guide_files.Source
    ) -> None:
        labels = re.findall(r"<b>(.+?)</b>", str(source.body))
        if source.slug not in FOREIGN:
            assert [
                one for one in map(html.unescape, labels) if one not in screens()
            ] == []

    def test_its_pictures_are_there_and_told_in_words(
        self, source: guide_files.Source
    ) -> None:
        for block in walk(source.body):
            if block["type"] == "picture":
                name = block["value"]["built_in"]
                assert pictures.exists(name), name
                assert len(block["value"]["alt"]) > 20


def test_pictures_are_small_and_each_is_used() -> None:
    kept = list(pictures.FOLDER.glob("*"))
    used = {
        block["value"]["built_in"]
        for source in SOURCES
        for block in walk(source.body)
        if block["type"] == "picture"
    }

    assert {path.stem for path in kept} == used
    assert [path.name for path in kept if path.stat().st_size > MOST_OCTETS] == []
