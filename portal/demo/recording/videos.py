"""Records a script as a video of stills, each shown as long as it takes to read."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize

from portal.demo.recording.screenshots import small
from portal.demo.recording.script_player import Player
from portal.demo.recording.temporary_site import TemporarySite
from portal.guides.bundled import videos
from portal.guides.bundled.videos import Film

SIZE: ViewportSize = {"width": 1280, "height": 720}
FRAMES_A_SECOND = 5
# In seconds.
STILL_SECONDS = 1.4
SHORTEST_SCENE = 3.0
SECONDS_PER_CHARACTER = 1 / 15


@dataclass(slots=True)
class Reel:
    """Stills in order, each with its duration, and the start and end of each scene.

    All times are in seconds.
    """

    folder: Path
    stills: list[tuple[Path, float]] = field(default_factory=list)
    times: list[tuple[float, float]] = field(default_factory=list)

    @property
    def length(self) -> float:
        """Seconds recorded so far."""
        return sum(seconds for _, seconds in self.stills)

    def add(self, png: bytes) -> None:
        """Appends a still."""
        path = self.folder / f"{len(self.stills):04}.png"
        path.write_bytes(png)
        self.stills.append((path, STILL_SECONDS))

    def hold_until(self, second: float) -> None:
        """Extends the last still until that second."""
        path, seconds = self.stills[-1]
        self.stills[-1] = (path, seconds + max(0.0, second - self.length))


def shoot(browser: Browser, site: TemporarySite, film: Film) -> None:
    """Records a film and writes its video, poster, times, captions and chapters."""
    videos.MEDIA.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="reel-") as folder:
        reel = _recorded(browser, site, film, Path(folder))
        _encode(reel, videos.MEDIA / f"{film.name}.webm")
        # From the middle, because many films start on the same page.
        poster, _ = reel.stills[len(reel.stills) // 2]
        (videos.MEDIA / f"{film.name}.webp").write_bytes(small(poster.read_bytes()))
    times = [(round(begins, 2), round(ends, 2)) for begins, ends in reel.times]
    (videos.MEDIA / f"{film.name}.json").write_text(json.dumps(times) + "\n")
    write_tracks(film.name)


def write_tracks(name: str) -> None:
    """Writes captions and chapters, from the script and the recorded times."""
    videos.film.cache_clear()
    film = videos.film(name)
    (videos.MEDIA / f"{name}.vtt").write_text(videos.captions(film), encoding="utf-8")
    chapters = videos.MEDIA / f"{name}-chapters.vtt"
    chapters.write_text(videos.chapter_marks(film), encoding="utf-8")


def _recorded(browser: Browser, site: TemporarySite, film: Film, folder: Path) -> Reel:
    reel = Reel(folder)
    context = browser.new_context(
        locale="en-GB", timezone_id="Europe/London", viewport=SIZE
    )
    player = Player(context.new_page(), site)
    if film.who:
        player.sign_in(film.who)
    player.watch = lambda: reel.add(player.page.screenshot())
    for scene in film.scenes:
        begins = reel.length
        for command in scene.does:
            player.play(command)
        if not scene.does:
            player.watch()
        reel.hold_until(
            begins + max(SHORTEST_SCENE, 1 + len(scene.says) * SECONDS_PER_CHARACTER)
        )
        reel.times.append((begins, reel.length))
    context.close()
    return reel


def _encode(reel: Reel, target: Path) -> None:
    """Encodes the stills as WebM with VP9, which all current browsers play."""
    listing = reel.folder / "stills.txt"
    lines = [f"file '{path}'\nduration {seconds:.3f}" for path, seconds in reel.stills]
    # ffmpeg's concat demuxer ignores the last duration unless the file is repeated.
    listing.write_text("\n".join([*lines, f"file '{reel.stills[-1][0]}'"]))
    options = "-c:v libvpx-vp9 -crf 34 -b:v 0 -deadline good -cpu-used 5 -g 50 -an"
    command = ["ffmpeg", "-y", "-loglevel", "error", "-f", "concat", "-safe", "0"]
    command += ["-i", str(listing), "-vf", f"fps={FRAMES_A_SECOND},format=yuv420p"]
    subprocess.run([*command, *options.split(), str(target)], check=True)  # noqa: S603
