"""The bot's conversation with people, whose TeamFlame is the sandbox's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from teamflame.dialog.conversation import Conversation
from tests.acceptance.teamflame.office import ANNA, BORIS, CARL, HOSTILE
from tests.fakes.messenger import Phone

if TYPE_CHECKING:
    from tests.acceptance.teamflame.office import Office

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_newcomer_finds_their_board(office: Office) -> None:
    """A newcomer signs in, finds a board through buttons with its names, and sees what is on it."""
    anna = office.phone()

    assert "/signin" in await anna.write("/start")
    assert anna.key("Sign in").web_app == "https://gateway.example/teamflame/app/"
    assert "sign in" in await anna.write("/board")
    assert "no longer" not in anna.text
    assert "e-mail" in await anna.write("/signin")
    assert "password" in await anna.write(ANNA["email"])
    signed_in = await anna.write(ANNA["password"])
    assert "Anna" in signed_in
    assert "Choose a space" in signed_in
    assert await anna.write("/board") == signed_in
    assert await anna.press("Bakery") == "Bakery: choose a project"
    assert await anna.press("Shop") == "Shop: choose a board"
    board = await anna.press("Week")

    assert board.splitlines()[0] == "Week"
    assert "• SHP-1 Bake" in board
    assert anna.key("Open the board").web_app is not None


async def test_password_is_deleted_and_kept_nowhere(office: Office) -> None:
    """The message with the password is deleted at once, even if TeamFlame does not answer."""
    anna = office.phone()
    await anna.write("/signin")
    await anna.write(ANNA["email"])
    await office.break_with("down")
    before = len(office.messenger.deleted)

    assert "does not answer" in await anna.write(ANNA["password"]) or "do not know" in anna.text

    assert len(office.messenger.deleted) == before + 1
    assert await office.teamflame.dialogs.get(anna.user_id) == ("", "")
    assert all(ANNA["password"] not in str(call) for call in await office.calls())


async def test_password_that_cannot_be_deleted(office: Office) -> None:
    """If Telegram does not delete the password, its owner is asked to."""
    office.messenger.may_delete = False
    anna = await office.signed_in(ANNA)

    assert "delete it yourself" in anna.chat[-2].text


async def test_wrong_password(office: Office) -> None:
    """A wrong password is told, and leads back to the beginning."""
    anna = office.phone()
    await anna.write("/signin")
    await anna.write("no address")
    assert "not an e-mail" in anna.text
    await anna.write(ANNA["email"])

    assert "does not accept" in await anna.write("/wrong secret")
    assert "do not understand" in await anna.write(ANNA["password"])


async def test_board_is_remembered(office: Office) -> None:
    """The chosen board is shown by /board, also by a bot that was started anew."""
    anna = await office.signed_in(ANNA, board="Week")
    again = Conversation(office.teamflame, office.teamflame.dialogs, office.messenger)
    later = Phone(office.messenger, again, anna.user_id)

    assert (await later.write("/board")).startswith("Week")
    assert "Your board: Week" in await later.write("/start")


async def test_dialog_survives_a_restart(office: Office) -> None:
    """What the bot has asked for is stored, and so is what its buttons do."""
    anna = await office.signed_in(ANNA, board="Week")
    await anna.write("/new")
    again = Conversation(office.teamflame, office.teamflame.dialogs, office.messenger)
    later = Phone(office.messenger, again, anna.user_id)

    assert await later.write("Sell") == "Created: SHP-3 Sell"
    await later.press("Move to")
    assert await later.press("Doing") == "SHP-3 Sell → Doing"
    assert (await office.task("Sell"))["column"] == "Doing"


async def test_task_is_created_in_the_first_column(office: Office) -> None:
    """/new with a title creates the task at once, in the first column of the board."""
    anna = await office.signed_in(ANNA, board="Week")

    assert "Sell  bread" not in await anna.write("/new Sell\nbread")

    assert (await office.task("Sell bread"))["column"] == "To do"


async def test_task_is_created_once(office: Office) -> None:
    """An event that is handed over again does not create the task again, and says what is unknown."""
    anna = await office.signed_in(ANNA, board="Week")
    await anna.write("/new Sell", row=1_000_001)
    await office.teamflame.dialogs.save(anna.user_id, "doing", "1000002")

    again = await anna.write("/new Sell", row=1_000_002)

    assert "I was interrupted" in again
    assert len(await office.calls("task/create")) == 1


async def test_comment_and_move_by_buttons(office: Office) -> None:
    """The buttons under a task comment it and move it."""
    anna = await office.signed_in(ANNA, board="Week")
    await anna.write("/new Sell")
    await anna.press("Comment")
    assert "Sell" in anna.text
    await anna.write("At noon\nor later")

    assert anna.text == "Commented."
    assert (await office.task("Sell"))["comments"] == ["At noon\nor later"]


async def test_own_tasks(office: Office) -> None:
    """/my lists what the person is assigned to, each with a button that opens it."""
    anna = await office.signed_in(ANNA)
    boris = await office.signed_in(BORIS)

    assert "SHP-1 Bake, due 01.12.2026" in await anna.write("/my")
    url = anna.key("Bake").web_app
    assert url == f"https://gateway.example/teamflame/app/?startapp=t_{office.ids['Bake']}"
    assert await boris.write("/my") == "No tasks are assigned to you."


async def test_notifications_are_switched(office: Office) -> None:
    """The settings of the board show what one is told of, and switch it."""
    anna = await office.signed_in(ANNA, board="Week")
    await anna.write("/settings")
    assert "✅ Moved" in anna.labels

    await anna.press("Moved")

    assert "⬜ Moved" in anna.labels
    week = office.ids["Week"]
    kinds = await office.teamflame.choices.kinds_of(anna.user_id, week)
    assert "moved" not in kinds


async def test_signing_out(office: Office) -> None:
    """After signing out everything about the person is forgotten."""
    anna = await office.signed_in(ANNA, board="Week")

    assert "signed out" in await anna.write("/signout")
    assert "/signin" in await anna.write("/start")
    assert "sign in" in await anna.write("/my")


async def test_lost_access_is_told_once(office: Office) -> None:
    """When TeamFlame ends the sign-in, the person is asked to sign in again."""
    office.teamflame.accounts.on_lost(
        lambda users: office.conversation.report_lost(users, "lost:1")
    )
    anna = await office.signed_in(ANNA, board="Week")
    await office.act(ANNA, "sign_out")

    await anna.write("/my")

    told = [each.text for each in anna.chat]
    assert len([text for text in told if "sign in again" in text]) == 1
    assert "Please sign in to TeamFlame first" in told[-1] or "sign in again" in told[-1]


async def test_buttons_are_their_owners(office: Office) -> None:
    """Nobody uses another's button, even with its id; a button that nobody knows is too old."""
    anna = await office.signed_in(ANNA, board="Week")
    carl = await office.signed_in(CARL)
    await anna.write("/new Sell")
    data = anna.key("Move to").data
    assert data is not None

    assert await carl.press_data(data, 1) == "This button is not for you."
    assert await anna.press_data(data, 1, chat_id=-1001) == "This button is not for you."
    assert "too old" in await carl.press_data("made up", 1)
    assert len(data) <= 64


async def test_hostile_texts_stay_texts(office: Office) -> None:
    """What somebody writes like markup is shown as it is written; a title has an end."""
    anna = await office.signed_in(ANNA, board="Week")

    assert await anna.write(f"/new {HOSTILE}") == f"Created: SHP-3 {HOSTILE}"
    await anna.press("Comment")
    await anna.write(HOSTILE)
    assert "<script>" not in (await office.task(HOSTILE))["comments"][0]
    assert HOSTILE in await anna.write("/board")
    await anna.write(f"/new {'x' * 4000}")
    assert (await office.task("x" * 500))["column"] == "To do"


async def test_replayed_button(office: Office) -> None:
    """A button that is pressed again, after its screen is long gone, only does the same again."""
    anna = await office.signed_in(ANNA, board="Week")
    await anna.write("/new Sell")
    await anna.press("Move to")
    key = anna.key("Doing")
    assert key.data is not None
    message = anna.chat[-1].message_id

    for _ in range(2):
        await anna.press_data(key.data, message)

    assert (await office.task("Sell"))["column"] == "Doing"


async def test_groups_are_left_alone(office: Office) -> None:
    """In a group the bot says nothing: boards are for those who have signed in."""
    anna = await office.signed_in(ANNA, board="Week")
    before = len(anna.chat)

    await anna.write("/board", chat_id=-1001)

    assert len(anna.chat) == before


async def test_troubles_are_told_in_words(office: Office) -> None:
    """What TeamFlame refuses, or does not do now, is told in the person's language."""
    anna = await office.signed_in(ANNA, board="Week")
    await office.break_with("error", status=429, retry_after=60)

    assert await anna.write("/my") == "Too many attempts. Try again in 61 s."


async def test_commands_are_presented(office: Office) -> None:
    """Telegram's menus show the commands in three languages."""
    await office.conversation.present()

    shown = office.messenger.presented
    assert set(shown) == {"", "en", "ru", "uk"}
    assert shown["ru"]["board"] == "Показать доску"
