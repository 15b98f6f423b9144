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
from portal.guides import editors
from portal.guides.models import GuideIndex
from tests import factories
from tests.engine.antivirus.specimens import EICAR
from tests.portal.conftest import SignIn
from tests.portal.guides.conftest import Shelf

ADD = "/admin/images/add/"


@pytest.fixture
def editor(signed_in: SignIn, shelf: Shelf) -> Client:
    shelf.load()
    person: Person = factories.make_person("edith@secure.example", name="Edith")
    roles.give_staff(person, RoleName.GUIDE_EDITOR, by=None)
    editors.prepare(GuideIndex.objects.get())
    return signed_in(person, second_factor=True)


def root() -> int:
    return Collection.get_first_root_node().pk


def png(tail: bytes = b"") -> SimpleUploadedFile:
    made = io.BytesIO()
    Picture.new("RGB", (4, 4), "teal").save(made, "PNG")
    return SimpleUploadedFile("a.png", made.getvalue() + tail, "image/png")


# Wagtail leaves a temporary file open when it makes a rendition.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_clean_picture_is_kept_and_shown(editor: Client) -> None:
    editor.post(ADD, {"title": "Teal", "file": png(), "collection": root()})

    image = get_image_model().objects.get()
    shown = editor.get(image.get_rendition("width-4|format-webp").url)
    assert shown.status_code == 200
    assert shown["Content-Type"] == "image/webp"
    assert shown.getvalue().startswith(b"RIFF")
    gc.collect()
    assert editor.get(f"/guides/pictures/{image.file.name}").status_code == 404


def test_an_infected_picture_is_not_taken(editor: Client) -> None:
    refused = editor.post(
        ADD, {"title": "Bad", "file": png(EICAR), "collection": root()}
    )

    assert "The virus scanner found" in refused.content.decode()
    assert not get_image_model().objects.exists()
    assert QuarantinedMessage.objects.get().sender == "edith@secure.example"
