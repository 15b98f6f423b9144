"""Looking at a screen as WCAG does: by axe, at two widths, and with the Tab key alone.

With POSTERN_PICTURES set to a folder, a picture of each is kept there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from playwright.sync_api import ConsoleMessage, Page

RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    }
}
# All that axe found otherwise is not carried from the browser, only to be dropped here.
RUN = """async rules => (await axe.run({...rules, resultTypes: ['violations']}))
  .violations.map(one => ({id: one.id,
    nodes: one.nodes.map(node => `${node.target} ${node.html.slice(0, 200)}`)}))"""
WIDE, NARROW = 1280, 320  # CSS pixels

SIDEWAYS = """() => [...document.querySelectorAll('.postern-table')]
  .some(one => one.scrollWidth > one.clientWidth)"""
# Wagtail's sidebar slides when the window grows narrow, and squeezes the page meanwhile.
AT_REST = """async () => {
  await new Promise(next => requestAnimationFrame(() => requestAnimationFrame(next)));
  const finite = one => Number.isFinite(one.effect.getComputedTiming().endTime);
  await Promise.allSettled(
    document.getAnimations().filter(finite).map(one => one.finished));
}"""
# Notes what the Tab key comes to, and whether it can be seen there.
LISTEN = """() => {
  window.reached = [];
  window.isRound = false;
  document.activeElement.blur();
  document.addEventListener('focusin', event => {
    const one = event.target, style = getComputedStyle(one);
    const marked = style.outlineStyle !== 'none' || style.boxShadow !== 'none'
      || one.matches('iframe, [type=radio], [type=checkbox], [type=file]');
    window.isRound ||= window.reached.length > 0 && one === window.reached[0][0];
    window.reached.push([one, marked]);
  });
}"""
# What can be worked with a mouse; of radio buttons, one in each group is a stop.
WORKABLE = """() => [...document.querySelectorAll(
    'a[href], button, input, select, textarea, summary, iframe, [tabindex]')]
  .filter(one => !one.disabled && one.type !== 'radio' && one.tabIndex >= 0
    && one.checkVisibility({visibilityProperty: true, contentVisibilityAuto: true}))"""
FAULTS = f"""() => {{
  const name = one => one.outerHTML.slice(0, 120);
  const reached = new Map(window.reached);
  return [
    ...({WORKABLE})().filter(one => !reached.has(one))
      .map(one => 'Tab does not come to ' + name(one)),
    ...[...reached].filter(([, marked]) => !marked)
      .map(([one]) => 'focus cannot be seen on ' + name(one)),
  ];
}}"""


def faults(page: Page, url: str, status: int = 200) -> Iterator[str]:
    """Everything that is wrong with the screen, as lines to read.

    A walk that is turned away looks at some other page, and would find nothing.
    """
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and "status of 4" not in message.text:
            complaints.append(message.text)

    page.on("console", listen)
    page.set_viewport_size({"width": WIDE, "height": 900})
    answer = page.goto(url, wait_until="load")
    if answer is None or answer.status != status:
        yield f"{url} answers {answer and answer.status}"
    if urlsplit(page.url).path != urlsplit(url).path:
        yield f"{url} leads to {page.url}"
    yield from (f"{url} at {WIDE}: {fault}" for fault in examine(page, WIDE))
    yield from (f"{url}: {fault}" for fault in by_keyboard(page))
    page.evaluate("document.activeElement.blur()")
    page.set_viewport_size({"width": NARROW, "height": 900})
    yield from (f"{url} at {NARROW}: {fault}" for fault in examine(page, NARROW))
    page.remove_listener("console", listen)
    yield from (f"{url} says: {complaint}" for complaint in complaints)


def examine(page: Page, width: int) -> Iterator[str]:
    page.evaluate(AT_REST)
    if folder := os.environ.get("POSTERN_PICTURES"):
        name = re.sub(
            r"\W+", "-", urlsplit(page.url)._replace(scheme="", netloc="").geturl()
        )
        path = Path(folder) / f"{name.strip('-')}-{width}.png"
        page.screenshot(path=path, full_page=True)
    for violation in violations(page, RULES):
        yield from (f"{violation['id']}: {node}" for node in violation["nodes"])
    if page.evaluate("document.documentElement.scrollWidth") > width:
        yield "is wider than the screen"
    if width == NARROW and page.evaluate(SIDEWAYS):
        yield "has a table that scrolls sideways"


def violations(page: Page, rules: dict[str, Any]) -> list[dict[str, Any]]:
    """What axe finds, by these options: each rule's id and the elements that break it.

    Its half megabyte of script stays in the page between two looks at it.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    found: list[dict[str, Any]] = page.evaluate(RUN, rules)
    return found


@cache
def _axe() -> str:
    path = Path(settings.BASE_DIR) / "node_modules/axe-core/axe.min.js"
    return path.read_text(encoding="utf-8")


def by_keyboard(page: Page) -> list[str]:
    """Go once round the screen with the Tab key; what it misses, and what hides it."""
    page.evaluate(LISTEN)
    stops: int = page.evaluate(f"({WORKABLE})().length")
    # Lists of radio buttons, players and frames have stops of their own.
    for pressed in range(stops + 20):
        if pressed > stops and page.evaluate("window.isRound"):
            break
        page.keyboard.press("Tab")
    found: list[str] = page.evaluate(FAULTS)
    return found
