"""Takes the screenshots of the guides and of README.md, each set from a script."""

from __future__ import annotations

import io
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser

from portal.demo.recording.script_player import Command, Player
from portal.demo.recording.temporary_site import TemporarySite
from portal.guides.bundled import guide_files
from portal.guides.rendering import pictures

README_FOLDER = Path(__file__).parent / "readme"
# Each script, and the folder of its pictures.
SCRIPTS = {
    guide_files.FOLDER.parent / "pictures.toml": pictures.FOLDER,
    README_FOLDER / "pictures.toml": README_FOLDER,
}
WIDTH = 1000  # pixels
QUALITIES = (80, 65, 50, 35)
MOST_OCTETS = 60 * 1024


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture: who is signed in, what they do first, and the height in pixels."""

    name: str
    folder: Path
    does: tuple[Command, ...]
    who: str = ""
    height: int = 640


def shots() -> list[Shot]:
    """Returns all pictures of the scripts."""
    return [
        Shot(**{**shot, "folder": folder, "does": tuple(map(tuple, shot["does"]))})
        for script, folder in SCRIPTS.items()
        for shot in tomllib.loads(script.read_text(encoding="utf-8"))["picture"]
    ]


def take(browser: Browser, site: TemporarySite, wanted: list[Shot]) -> Iterator[str]:
    """Takes the pictures and yields the name of each when it is done."""
    for who in dict.fromkeys(shot.who for shot in wanted):
        context = browser.new_context(locale="en-GB", timezone_id="Europe/London")
        player = Player(context.new_page(), site)
        if who:
            player.sign_in(who)
        for shot in wanted:
            if shot.who == who:
                _take(player, shot)
                yield shot.name
        context.close()


def _take(player: Player, shot: Shot) -> None:
    player.page.set_viewport_size({"width": WIDTH, "height": shot.height})
    for command in shot.does:
        player.play(command)
    shot.folder.mkdir(parents=True, exist_ok=True)
    target = shot.folder / f"{shot.name}.webp"
    target.write_bytes(small(player.page.screenshot()))


def small(png: bytes) -> bytes:
    """Converts PNG to WebP, at the best quality that fits MOST_OCTETS."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    for quality in QUALITIES:
        made = io.BytesIO()
        image.save(made, "WEBP", quality=quality, method=6)
        if made.tell() <= MOST_OCTETS:
            break
    return made.getvalue()
