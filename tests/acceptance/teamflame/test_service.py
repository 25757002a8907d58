"""Our service in front of TeamFlame: signing in, boards, tasks, comments, and TeamFlame's troubles."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from teamflame.service.endpoints import Dialect
from teamflame.service.service import Service
from tests.acceptance.teamflame.office import ANNA, BORIS, COLUMNS, HOSTILE

if TYPE_CHECKING:
    from tests.acceptance.teamflame.office import Office

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_launch_tells_what_the_app_needs(office: Office) -> None:
    """Whoever launches the app gets a token, and hears whether they are signed in and what they chose."""
    anna = office.person()
    before = await anna.do("POST", "/auth/telegram")
    await anna.sign_in(ANNA)
    await anna.do("PUT", f"/boards/{office.ids['Week']}/selected")
    anna.headers = {"Authorization": f"Bearer {before['token']}"}

    after = await anna.do("POST", "/auth/telegram")

    assert (before["account"], before["selection"]) == (None, None)
    assert before["user"] == {"id": anna.user_id, "first_name": "Ann", "language": "ru"}
    assert after["account"]["email"] == ANNA["email"]
    assert after["selection"]["board_id"] == office.ids["Week"]


async def test_way_to_a_board(office: Office) -> None:
    """Spaces, projects and boards are those of the account, and a board comes with everything on it."""
    anna = office.person()
    await anna.sign_in(ANNA)

    [space] = (await anna.get("/spaces"))["spaces"]
    [project] = (await anna.get(f"/projects?space_id={space['id']}"))["projects"]
    boards = (await anna.get(f"/boards?project_id={project['id']}"))["boards"]
    board = await anna.get(f"/boards/{boards[0]['id']}")

    assert (space["name"], project["name"]) == ("Bakery", "Shop")
    assert [each["name"] for each in boards] == ["Week", "Month"]
    assert [column["name"] for column in board["columns"]] == list(COLUMNS)
    [task] = board["columns"][0]["tasks"]
    assert (task["title"], task["number"]) == ("Bake", "SHP-1")
    assert task["due"] == "2026-12-01T12:00:00Z"
    assert [person["name"] for person in task["assignees"]] == ["Anna"]
    assert [person["name"] for person in board["people"]] == ["Anna", "Boris"]


async def test_board_that_has_not_changed(office: Office) -> None:
    """A board is sent again only if it has changed."""
    anna = office.person()
    await anna.sign_in(ANNA)
    url = f"/teamflame/api/boards/{office.ids['Week']}"
    first = await office.client.get(url, headers=anna.headers)
    known = anna.headers | {"If-None-Match": first.headers["ETag"]}

    same = await office.client.get(url, headers=known)
    await office.act(BORIS, "move", task="Bake", column="Done")
    changed = await office.client.get(url, headers=known)

    assert (same.status_code, changed.status_code) == (304, 200)


async def test_people_are_not_asked_for_with_each_look(office: Office) -> None:
    """An open board is asked for again and again, the people of its space once a minute for each account."""
    anna, boris = office.person(), office.person()
    await anna.sign_in(ANNA)
    await boris.sign_in(BORIS)
    for person in (anna, anna, boris):
        board = await person.get(f"/boards/{office.ids['Week']}")
        assert len(board["people"]) == 2

    calls = await office.calls("/users")
    assert [call["by"] for call in calls] == [ANNA["email"], BORIS["email"]]


async def test_life_of_a_task(office: Office) -> None:
    """A task is created, moved, changed, assigned, dated and commented at TeamFlame itself."""
    anna = office.person()
    await anna.sign_in(ANNA)
    board = await anna.get(f"/boards/{office.ids['Week']}")
    todo, doing, _ = (column["id"] for column in board["columns"])
    boris = next(each["id"] for each in board["people"] if each["name"] == "Boris")

    task = await anna.do("POST", "/tasks", title="Sell", column_id=todo, board_id=board["id"])
    url = f"/tasks/{task['id']}"
    await anna.do("POST", f"{url}/move", column_id=doing, from_column_id=todo)
    await anna.do("PATCH", url, description="At noon", assignee_ids=[boris])
    await anna.do("PATCH", url, start="2026-12-01T00:00:00Z", due="2026-12-03T12:00:00+02:00")
    await anna.do("PATCH", url, start=None)
    await anna.do("POST", "/comments", task_id=task["id"], text="Fresh")

    there = await office.task("Sell")
    assert (there["column"], there["description"]) == ("Doing", "At noon")
    assert there["assignees"] == [BORIS["email"]]
    assert (there["start"], there["due"]) == (None, "2026-12-03T10:00:00.000Z")
    assert there["comments"] == ["Fresh"]
    shown = await anna.get(url)
    assert [each["text"] for each in shown["comments"]] == ["Fresh"]


async def test_new_board_and_column(office: Office) -> None:
    """A board is created in a project, and a column on a board."""
    anna = office.person()
    await anna.sign_in(ANNA)
    where = {"project_id": office.ids["Shop"], "space_id": office.ids["Bakery"]}

    board = await anna.do("POST", "/boards", name="Year", **where)
    await anna.do("POST", "/columns", name="Ideas", board_id=board["id"])

    shown = await anna.get(f"/boards/{board['id']}")
    assert shown["columns"][-1]["name"] == "Ideas"


async def test_html_is_read_as_text(office: Office) -> None:
    """What TeamFlame keeps as HTML arrives as text, and what we write there is no HTML."""
    anna = office.person()
    await anna.sign_in(ANNA)
    task = await anna.get(f"/tasks/{office.ids['Clean']}")
    await office.act(BORIS, "comment", task="Clean", text=HOSTILE)
    await anna.do("POST", "/comments", task_id=office.ids["Clean"], text=HOSTILE)

    comments = (await anna.get(f"/tasks/{office.ids['Clean']}"))["comments"]
    there = (await office.task("Clean"))["comments"]

    assert task["description"] == "Floor & windows"
    assert task["comments"][0]["text"] == "Soon\nor later"
    assert [each["text"] for each in comments[1:]] == ["Bold & more", HOSTILE]
    assert "<script>" not in there[-1]


async def test_two_people_move_the_same_card(office: Office) -> None:
    """Whoever moves a card that somebody has just moved elsewhere is told, and the card stays there."""
    anna = office.person()
    await anna.sign_in(ANNA)
    await office.act(BORIS, "move", task="Bake", column="Done")

    url = f"/tasks/{office.ids['Bake']}/move"
    fields = {"column_id": office.ids["Doing"], "from_column_id": office.ids["To do"]}
    status, body = await anna.call("POST", url, **fields)

    assert (status, body["error"]) == (409, "changed_meanwhile")
    assert (await office.task("Bake"))["column"] == "Done"


async def test_two_people_change_the_same_task(office: Office) -> None:
    """A change of a task that somebody has changed after it was read is refused."""
    anna = office.person()
    await anna.sign_in(ANNA)
    task = await anna.get(f"/tasks/{office.ids['Bake']}")
    await office.act(BORIS, "change", task="Bake", text="Boris was here")

    fields = {"description": "Anna too", "updated": task["updated"]}
    status, body = await anna.call("PATCH", f"/tasks/{task['id']}", **fields)

    assert (status, body["error"]) == (409, "changed_meanwhile")
    assert (await office.task("Bake"))["description"] == "Boris was here"


async def test_expired_access_is_renewed(office: Office) -> None:
    """A token that TeamFlame does not accept any more is renewed once, without anybody noticing."""
    anna = office.person()
    await anna.sign_in(ANNA)
    await office.act(ANNA, "expire")

    board = await anna.get(f"/boards/{office.ids['Week']}")

    assert board["name"] == "Week"
    assert len(await office.calls("refresh-token")) == 1


async def test_short_access_is_renewed_in_time(office: Office) -> None:
    """A token that ends soon is renewed before it ends, so TeamFlame never refuses it."""
    anna = office.person()
    account = (await anna.sign_in(ANNA))["account"]["id"]
    store = office.teamflame.account_store
    known = await store.access_of(account)
    assert known is not None
    await store.renew(account, replace(known, renew_at=datetime.now(UTC)))

    await anna.get("/users/me")
    await anna.get("/users/me")

    assert len(await office.calls("refresh-token")) == 1
    assert {call["status"] for call in await office.calls("user/me")} == {200}


async def test_lost_access_asks_to_sign_in(office: Office) -> None:
    """When the tokens cannot be renewed, the caller is asked to sign in, and that helps."""
    anna = office.person()
    await anna.sign_in(ANNA)
    await office.act(ANNA, "sign_out")

    refused = await anna.call("GET", "/spaces")
    launch = await anna.do("POST", "/auth/telegram")
    await anna.sign_in(ANNA)

    assert (refused[0], refused[1]["error"]) == (403, "sign_in_needed")
    assert launch["account"] is None
    assert (await anna.get("/spaces"))["spaces"]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"mode": "error", "status": 429, "retry_after": 60}, 429, "limited"),
        ({"mode": "error", "status": 500}, 503, "answer_lost"),
        ({"mode": "down"}, 503, "answer_lost"),
        ({"mode": "refuse"}, 400, "invalid_request"),
    ],
)
async def test_trouble_is_told(
    office: Office, fault: dict[str, object], status: int, code: str
) -> None:
    """Each of TeamFlame's troubles is told as what it is."""
    anna = office.person()
    await anna.sign_in(ANNA)
    await office.break_with(**fault)  # type: ignore[arg-type]

    answer = await anna.call("GET", "/spaces")

    assert (answer[0], answer[1]["error"]) == (status, code)


async def test_short_trouble_is_not_noticed(office: Office) -> None:
    """A question that fails once is asked again, but a task is never created twice."""
    anna = office.person()
    await anna.sign_in(ANNA)
    await office.break_with("error", times=1)
    spaces = await anna.get("/spaces")
    await office.break_with("lost_answer", times=1, cmd="create_task")

    where = {"column_id": office.ids["To do"], "board_id": office.ids["Week"]}
    status, body = await anna.call("POST", "/tasks", title="Once", **where)

    assert spaces["spaces"]
    assert (status, body["error"]) == (503, "answer_lost")
    assert len(await office.calls("task/create")) == 1


async def test_newer_dialect(office: Office) -> None:
    """The same calls work with a TeamFlame that speaks the newer dialect, if the settings say so."""
    await office.set_up(profile="v2024")
    service = Service(replace(office.teamflame.config.service, dialect=Dialect.V2024))
    access = await service.auth.sign_in(ANNA["email"], ANNA["password"])

    [space] = await service.spaces.list(access.token)
    tasks = await service.tasks.mine(access.token)
    await service.close()

    assert space.name == "Bakery"
    assert [task.title for task in tasks] == ["Bake"]


async def test_another_messenger_signs_in(office: Office) -> None:
    """Without Telegram's proof, e-mail and password open the service with a token of their own."""
    stranger = office.person()
    stranger.headers = {}
    signed_in = await stranger.sign_in(ANNA)
    stranger.headers = {"Authorization": f"Bearer {signed_in['token']}"}

    spaces = (await stranger.get("/spaces"))["spaces"]
    choosing = await stranger.call("PUT", f"/boards/{office.ids['Week']}/selected")

    assert [space["name"] for space in spaces] == ["Bakery"]
    assert (choosing[0], choosing[1]["error"]) == (403, "telegram_only")


async def test_signing_out_forgets_everything(office: Office) -> None:
    """Whoever signs out is as somebody who was never here."""
    anna = office.person()
    await anna.sign_in(ANNA)
    await anna.do("PUT", f"/boards/{office.ids['Week']}/selected")

    await anna.do("POST", "/auth/sign-out")

    launch = await anna.do("POST", "/auth/telegram")
    assert (launch["account"], launch["selection"]) == (None, None)
    subscriptions = await office.teamflame.choices.subscriptions()
    assert anna.user_id not in {each.user_id for each in subscriptions}


async def test_notifications_are_chosen(office: Office) -> None:
    """Whoever chooses a board hears of everything on it, until they choose otherwise."""
    anna = office.person()
    await anna.sign_in(ANNA)
    url = f"/boards/{office.ids['Week']}/notifications"
    await anna.do("PUT", f"/boards/{office.ids['Week']}/selected")
    before = (await anna.get(url))["kinds"]

    await anna.do("PUT", url, kinds={"moved": False})

    after = (await anna.get(url))["kinds"]
    assert set(before.values()) == {True}
    assert {kind for kind, wanted in after.items() if not wanted} == {"moved"}
