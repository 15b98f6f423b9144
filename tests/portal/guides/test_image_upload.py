from __future__ import annotations

import gc
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image as Picture
from wagtail.images import get_image_model
from wagtail.models import Collection

from engine.antivirus.models import QuarantinedMessage
from engine.registry.actions import roles
from engine.registry.models import Person, RoleName
from portal.guides import editor_permissions
from portal.guides.models import GuideIndex
from tests import factories
from tests.engine.antivirus import specimens
from tests.engine.antivirus.specimens import EICAR
from tests.portal.conftest import SignIn
from tests.portal.guides.conftest import GuideFolder

ADD = "/admin/images/add/"


@pytest.fixture
def editor_client(signed_in: SignIn, guide_folder: GuideFolder) -> Client:
    guide_folder.load()
    person: Person = factories.make_person("edith@secure.example", name="Edith")
    roles.give_staff(person, RoleName.GUIDE_EDITOR, by=None)
    editor_permissions.prepare(GuideIndex.objects.get())
    return signed_in(person, second_factor=True)


def root() -> int:
    return Collection.get_first_root_node().pk


def png(tail: bytes = b"") -> SimpleUploadedFile:
    made = io.BytesIO()
    Picture.new("RGB", (4, 4), "teal").save(made, "PNG")
    return SimpleUploadedFile("a.png", made.getvalue() + tail, "image/png")


# Wagtail leaves a temporary file open when it creates a rendition.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_clean_picture_is_kept_and_shown(editor_client: Client) -> None:
    editor_client.post(ADD, {"title": "Teal", "file": png(), "collection": root()})

    image = get_image_model().objects.get()
    shown = editor_client.get(image.get_rendition("width-4|format-webp").url)
    assert shown.status_code == 200
    assert shown["Content-Type"] == "image/webp"
    assert shown.getvalue().startswith(b"RIFF")
    gc.collect()
    assert editor_client.get(f"/guides/pictures/{image.file.name}").status_code == 404


def test_an_infected_picture_is_not_taken(editor_client: Client) -> None:
    refused = editor_client.post(
        ADD, {"title": "Bad", "file": png(EICAR), "collection": root()}
    )

    assert "The virus scanner found" in refused.content.decode()
    assert not get_image_model().objects.exists()
    assert QuarantinedMessage.objects.get().sender == "edith@secure.example"


def test_a_picture_that_is_an_archive_of_a_program_is_not_taken(
    editor_client: Client,
) -> None:
    archive = specimens.zipped_under({"run.exe": b"x"})

    refused = editor_client.post(
        ADD, {"title": "Bad", "file": png(archive), "collection": root()}
    )

    assert "are not carried here" in refused.content.decode()
    assert not get_image_model().objects.exists()


def picture(format: str, **options: object) -> bytes:
    made = io.BytesIO()
    noise = Picture.effect_noise((64, 64), 90).convert("RGB")
    noise.save(made, format, **options)
    return made.getvalue()


FRAMES = [Picture.effect_noise((64, 64), 90) for _ in range(3)]
BROKEN = {
    "cut.png": picture("PNG")[:-900],
    "cut.jpg": picture("JPEG")[:-900],
    "cut.webp": picture("WEBP", lossless=True)[:-900],
    "cut.gif": picture("GIF", save_all=True, append_images=FRAMES)[:-900],
    "signature.png": b"\x89PNG\r\n\x1a\n",
    "signature.gif": b"GIF89a",
    "signature.jpg": b"\xff\xd8\xff\xe0",
    "signature.webp": b"RIFF\x00\x00\x00\x00WEBPVP8 ",
    "garbage.png": b"\x89PNG\r\n\x1a\n" + b"what is this? " * 20,
    "text.png": b"Not a picture at all.",
    "empty.png": b"",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_picture_is_an_error_of_the_form(
    editor_client: Client, name: str
) -> None:
    file = SimpleUploadedFile(name, BROKEN[name], "image/png")

    refused = editor_client.post(
        ADD, {"title": "x", "file": file, "collection": root()}
    )

    assert refused.status_code == 200
    assert refused.context["form"].errors["file"]
    assert not get_image_model().objects.exists()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", ["cut.png", "signature.png", "garbage.png"])
def test_it_is_one_wherever_editors_bring_pictures(
    editor_client: Client, name: str
) -> None:
    editor_client.post(ADD, {"title": "Teal", "file": png(), "collection": root()})
    kept = get_image_model().objects.get()

    def file() -> SimpleUploadedFile:
        return SimpleUploadedFile(name, BROKEN[name], "image/png")

    many = editor_client.post(
        "/admin/images/multiple/add/",
        {"title": "x", "files[]": file(), "collection": root()},
        headers={"X-Requested-With": "XMLHttpRequest"},
    )
    chosen = editor_client.post(
        "/admin/images/chooser/create/",
        {
            "image-chooser-upload-title": "x",
            "image-chooser-upload-file": file(),
            "image-chooser-upload-collection": root(),
        },
    )
    changed = editor_client.post(
        f"/admin/images/{kept.pk}/",
        {"title": "x", "file": file(), "collection": root()},
    )

    assert many.json()["success"] is False
    assert "damaged" in many.json()["error_message"]
    assert chosen.status_code == changed.status_code == 200
    assert b"damaged" in chosen.content
    assert changed.context["form"].errors["file"]
    assert [one.file_hash for one in get_image_model().objects.all()] == [
        kept.file_hash
    ]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_whole_picture_of_each_kind_is_taken(
    editor_client: Client, format: str
) -> None:
    name = f"whole.{format.lower()}"
    file = SimpleUploadedFile(name, picture(format), "image/png")

    editor_client.post(ADD, {"title": "Whole", "file": file, "collection": root()})

    assert get_image_model().objects.get().width == 64
