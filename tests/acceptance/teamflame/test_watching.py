"""People hear what others did on their boards, once, and nothing of what they did themselves."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from teamflame.store.choices import ALL_KINDS, Kind, Subscription
from teamflame.watching.board_watch import BoardWatch, Pace
from teamflame.watching.snapshot import Watcher
from teamflame.watching.watching import Watching
from tests.acceptance.teamflame.office import ANNA, BORIS
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from teamflame.teamflame import TeamFlame
    from tests.acceptance.teamflame.office import Office
    from tests.fakes.messenger import Phone

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUICK = Pace(open=0.02, quiet=0.02, longest=0.02, while_failing=0.05)


@asynccontextmanager
async def watching(office: Office, teamflame: TeamFlame | None = None) -> AsyncIterator[None]:
    """Watch, as the gateway does, but more often."""
    shared = teamflame or office.teamflame
    made = Watching(shared, office.conversation, office.messenger, QUICK, refresh=0.02)
    made.start()
    try:
        await eventually(lambda: office.teamflame.snapshots.get(office.ids["Week"]))
        yield
    finally:
        await made.stop()


async def told(phone: Phone, text: str) -> None:
    await eventually(lambda: any(text in each.text for each in phone.chat), awaited=text)


async def test_what_others_did_is_told(office: Office) -> None:
    """A new task, a move, an assignment and a comment of somebody else are told, with buttons."""
    anna = await office.signed_in(ANNA, board="Week")
    async with watching(office):
        await office.act(BORIS, "create", name="Sell", board="Week")
        await told(anna, "New task in “To do”: SHP-3 Sell")
        await office.act(BORIS, "move", task="Sell", column="Doing")
        await told(anna, "SHP-3 Sell moved to “Doing”")
        await office.act(BORIS, "change", task="Sell", assignees=[ANNA["email"]])
        await told(anna, "You were assigned to SHP-3 Sell")
        await office.act(BORIS, "comment", task="Sell", text="<p>Hot &amp; fresh</p>")
        await told(anna, "Boris on SHP-3 Sell: Hot & fresh")

    assert anna.labels == ["Open", "Comment", "Move to…"]
    texts = [each.text for each in anna.chat]
    assert len(texts) == len(set(texts))
    assert office.messenger.notified == set(texts[-4:]), (
        "within Telegram's limits, as answers are not"
    )


async def test_own_actions_are_not_told(office: Office) -> None:
    """What a person did in the chat or in the Mini App comes back to others, not to them."""
    anna = await office.signed_in(ANNA, board="Week")
    boris = await office.signed_in(BORIS, board="Week")
    async with watching(office):
        await anna.write("/new Sell")
        await told(boris, "New task in “To do”: SHP-3 Sell")
        await anna.press("Move to")
        await anna.press("Done")
        await told(boris, "SHP-3 Sell moved to “Done” by Anna")
        await anna.press("Comment")
        await anna.write("Fresh")
        await told(boris, "Anna on SHP-3 Sell: Fresh")
        await boris.press("Comment")
        await boris.write("How fresh?")
        await told(anna, "Boris on SHP-3 Sell: How fresh?")

    news = [each.text for each in anna.chat if "moved to" in each.text or "New task" in each.text]
    assert news == []
    assert not any("Anna on SHP-3" in each.text for each in anna.chat)


async def test_own_actions_are_known_after_a_restart(office: Office) -> None:
    """What a person did shortly before the gateway was restarted is not told to them after it."""
    anna = await office.signed_in(ANNA, board="Week")
    boris = await office.signed_in(BORIS, board="Week")
    caller = office.person()
    await caller.sign_in(ANNA)
    async with watching(office):
        pass
    to = office.ids["Done"]
    await caller.do("POST", f"/tasks/{office.ids['Bake']}/move", column_id=to)

    async with office.restarted() as later, watching(office, later):
        await told(boris, "SHP-1 Bake moved to “Done” by Anna")
        await office.act(BORIS, "move", task="Bake", column="To do")
        await told(anna, "SHP-1 Bake moved to “To do”")

    assert not any("“Done”" in each.text for each in anna.chat)


async def test_refused_action_explains_nothing(office: Office) -> None:
    """What TeamFlame refused was not done: when somebody else does it, it is told."""
    anna = await office.signed_in(ANNA, board="Week")
    caller = office.person()
    await caller.sign_in(ANNA)
    await office.break_with("error", status=400, times=1, cmd="change_column")
    bake, done = office.ids["Bake"], office.ids["Done"]
    assert (await caller.call("POST", f"/tasks/{bake}/move", column_id=done))[0] == 400
    async with watching(office):
        await office.act(BORIS, "move", task="Bake", column="Done")
        await told(anna, "SHP-1 Bake moved to “Done”")

    assert not any("by Anna" in each.text for each in anna.chat)


async def test_only_what_is_wanted_is_told(office: Office) -> None:
    """A kind that is switched off is not told; an assignment is told to whom it concerns."""
    anna = await office.signed_in(ANNA, board="Week")
    week = office.ids["Week"]
    wanted = frozenset({Kind.MOVED, Kind.ASSIGNED})
    await office.teamflame.choices.subscribe(Subscription(anna.user_id, week, wanted))
    async with watching(office):
        await office.act(BORIS, "create", name="Sell", board="Week")
        await office.act(BORIS, "change", task="Sell", assignees=[BORIS["email"]])
        await office.act(BORIS, "move", task="Bake", column="Done")
        await told(anna, "Bake moved")

    assert not any("Sell" in each.text for each in anna.chat)


async def test_dates_are_reminded_of_once(office: Office) -> None:
    """Whoever is assigned is reminded when the date comes near and when it has passed, once each."""
    anna = await office.signed_in(ANNA, board="Week")
    async with watching(office):
        at = office.teamflame.snapshots
        await office.act(BORIS, "change", task="Bake", due="2020-01-01T12:00:00.000Z")
        await told(anna, "Overdue: SHP-1 Bake, 01.01.2020 12:00")
        before = len(await office.calls("getBy"))
        await eventually(lambda: _looked_again(office, before))
        assert await at.get(office.ids["Week"])

    assert len([each for each in anna.chat if "Overdue" in each.text]) == 1


async def test_each_board_is_asked_for_once(office: Office) -> None:
    """However many people watch a board, it is read in the name of one of them."""
    for who in (ANNA, BORIS):
        await office.signed_in(who, board="Week")
    await office.calls()
    async with watching(office):
        before = len(await office.calls("getBy"))
        await eventually(lambda: _looked_again(office, before))

    readers = {call["by"] for call in (await office.calls("getTasksByColumn"))}
    assert len(readers) == 1


async def test_next_watcher_steps_in(office: Office) -> None:
    """When the account with which a board is read loses its access, another watcher's is used."""
    await office.signed_in(ANNA, board="Week")
    boris = await office.signed_in(BORIS, board="Week")
    async with watching(office):
        await office.act(ANNA, "sign_out")
        await office.act(BORIS, "expire")
        await office.act(ANNA, "move", task="Bake", column="Done")
        await told(boris, "Bake moved")


async def test_troubles_pass(office: Office) -> None:
    """While TeamFlame fails nothing is told, and afterwards what happened meanwhile is."""
    anna = await office.signed_in(ANNA, board="Week")
    async with watching(office):
        await office.break_with("error", status=500)
        await office.act(BORIS, "move", task="Bake", column="Done")
        await office.control.delete(f"/teamflame/{office.name}/faults")
        await told(anna, "Bake moved")


async def test_restart_is_no_reason_to_look_more_often(office: Office) -> None:
    """A board that somebody has just chosen is looked at often, one that was watched before a restart is not."""
    anna = await office.signed_in(ANNA, board="Week")
    week = office.ids["Week"]
    accounts = await office.teamflame.account_store.of_users((anna.user_id,))
    watcher = Watcher(Subscription(anna.user_id, week, ALL_KINDS), accounts[anna.user_id])
    pauses = []
    for _ in range(2):
        watch = BoardWatch(week, office.teamflame, office.conversation, Pace(spread=0.0))
        watch.watchers = (watcher,)
        pauses.append(await watch.look())

    assert pauses == [15.0, 60.0]


async def test_another_node_leaves_boards_alone(office: Office) -> None:
    """A node on which the bot does not run asks for no board."""
    await office.signed_in(ANNA, board="Week")
    office.messenger.is_here = False
    made = Watching(office.teamflame, office.conversation, office.messenger, QUICK, refresh=0.01)
    await made._adjust()

    assert made._watches == {}
    office.messenger.is_here = True
    await made._adjust()
    assert set(made._watches) >= {office.ids["Week"]}
    await made.stop()


async def _looked_again(office: Office, before: int) -> bool:
    return len(await office.calls("getBy")) > before + 3
