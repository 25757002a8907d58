"""What a message means depends on what the bot has asked for, and on nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamflame.dialog.steps import Dialog, Meaning, Step, Wish, understand

NOTHING = Dialog()
EMAIL = Dialog(Step.EMAIL)
PASSWORD = Dialog(Step.PASSWORD, "a@b.example")
TITLE = Dialog(Step.TITLE)
COMMENT = Dialog(Step.COMMENT, "t1")


@pytest.mark.parametrize(
    ("text", "dialog", "meaning"),
    [
        ("/start", NOTHING, Meaning(Wish.START)),
        ("/start t_1", NOTHING, Meaning(Wish.START, "t_1")),
        ("/board@some_bot", NOTHING, Meaning(Wish.BOARD)),
        ("/NEW  Sell \n bread", NOTHING, Meaning(Wish.CREATE, "Sell bread")),
        ("/new", NOTHING, Meaning(Wish.CREATE, then=TITLE)),
        ("/signin", NOTHING, Meaning(Wish.SIGN_IN, then=EMAIL)),
        ("/what", NOTHING, Meaning(Wish.UNKNOWN)),
        ("hello", NOTHING, Meaning(Wish.UNKNOWN)),
        (" a@b.example ", EMAIL, Meaning(Wish.GIVE_EMAIL, "a@b.example", PASSWORD)),
        ("a b", EMAIL, Meaning(Wish.EMAIL_INVALID, then=EMAIL)),
        ("se cret", PASSWORD, Meaning(Wish.GIVE_PASSWORD, "se cret")),
        ("/secret", PASSWORD, Meaning(Wish.GIVE_PASSWORD, "/secret")),
        (" secret ", PASSWORD, Meaning(Wish.GIVE_PASSWORD, " secret ")),
        ("/cancel", PASSWORD, Meaning(Wish.CANCEL)),
        ("/cancel", TITLE, Meaning(Wish.CANCEL)),
        ("Sell", TITLE, Meaning(Wish.CREATE, "Sell")),
        ("  ", TITLE, Meaning(Wish.UNKNOWN, then=TITLE)),
        ("One\nTwo", COMMENT, Meaning(Wish.COMMENT, "One\nTwo")),
        ("/my", COMMENT, Meaning(Wish.OWN_TASKS)),
    ],
)
def test_messages_are_understood(text: str, dialog: Dialog, meaning: Meaning) -> None:
    """Commands end what was asked for; anything else answers it."""
    assert understand(text, dialog) == meaning


@given(st.text(max_size=600), st.sampled_from([NOTHING, EMAIL, PASSWORD, TITLE, COMMENT]))
def test_every_message_means_something(text: str, dialog: Dialog) -> None:
    """Whatever is written has a meaning, and no title is longer than TeamFlame takes."""
    meaning = understand(text, dialog)

    if meaning.wish is Wish.CREATE:
        assert len(meaning.said) <= 500
    assert (meaning.wish is Wish.GIVE_PASSWORD) <= (dialog.step is Step.PASSWORD)
