"""Checks a screen against WCAG: axe at two widths, and the Tab key alone.

The wide screen is checked in the light scheme and the narrow one in the dark, because
axe spends most of its time on contrast.

With POSTERN_PICTURES set to a folder, a screenshot of each is saved there.
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
# Leaves out everything else that axe finds, which need not leave the browser.
RUN = """async rules => (await axe.run({...rules, resultTypes: ['violations']}))
  .violations.map(one => ({id: one.id,
    nodes: one.nodes.map(node => `${node.target} ${node.html.slice(0, 200)}`)}))"""
WIDE, NARROW = 1280, 320  # CSS pixels

SIDEWAYS = """() => [...document.querySelectorAll('.postern-table')]
  .some(one => one.scrollWidth > one.clientWidth)"""
# Wagtail's sidebar slides when the window narrows, and compresses the page meanwhile.
AT_REST = """async () => {
  const frame = () => new Promise(next => requestAnimationFrame(next));
  const finite = one => Number.isFinite(one.effect.getComputedTiming().endTime);
  await frame();
  await frame();
  document.getAnimations().filter(finite).forEach(one => one.finish());
  await frame();
}"""
# Records which elements the Tab key reaches, and whether focus is visible on them.
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
# Elements that a mouse can operate; the radio buttons of a group are a single tab stop.
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
    """Yields everything that is wrong with the screen, one fault to a line.

    A redirect is a fault too: otherwise the checks would run on another page.
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
    yield from (f"{url} at {WIDE}: {fault}" for fault in faults_at_width(page, WIDE))
    yield from (f"{url}: {fault}" for fault in keyboard_faults(page))
    page.evaluate("document.activeElement.blur()")
    page.set_viewport_size({"width": NARROW, "height": 900})
    page.emulate_media(color_scheme="dark")
    yield from (
        f"{url} at {NARROW}, dark: {fault}" for fault in faults_at_width(page, NARROW)
    )
    page.emulate_media(color_scheme="light")
    page.remove_listener("console", listen)
    yield from (f"{url} says: {complaint}" for complaint in complaints)


WIDE_PARTS = """width => [...document.querySelectorAll("body *")]
  .filter(one => one.getBoundingClientRect().right > width)
  .map(one => one.outerHTML.slice(0, 120)).slice(0, 5).join(" | ")"""


def faults_at_width(page: Page, width: int) -> Iterator[str]:
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
        yield f"is wider than the screen: {page.evaluate(WIDE_PARTS, width)}"
    if width == NARROW and page.evaluate(SIDEWAYS):
        yield "has a table that scrolls sideways"


def violations(page: Page, rules: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns axe's violations: the id of each rule and the elements that break it.

    Axe's half megabyte of script stays in the page for later calls.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    found: list[dict[str, Any]] = page.evaluate(RUN, rules)
    return found


@cache
def _axe() -> str:
    path = Path(settings.BASE_DIR) / "node_modules/axe-core/axe.min.js"
    return path.read_text(encoding="utf-8")


def keyboard_faults(page: Page) -> list[str]:
    """Tabs once round the screen; yields elements that are missed or show no focus."""
    page.evaluate(LISTEN)
    stops: int = page.evaluate(f"({WORKABLE})().length")
    # Lists of radio buttons, players and frames have tab stops of their own.
    for pressed in range(stops + 20):
        if pressed > stops and page.evaluate("window.isRound"):
            break
        page.keyboard.press("Tab")
    found: list[str] = page.evaluate(FAULTS)
    return found
