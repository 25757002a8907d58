"""The service as its clients of 2023 and 2024 know it: addresses, tokens, rights, faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from sandbox.teamflame.settings import COLUMNS
from tests.acceptance.sandbox.teamflame.conftest import ANNA, CARL, WORKSPACE, Workspace

if TYPE_CHECKING:
    from typing import Any


async def test_way_to_a_board(workspace: Workspace) -> None:
    """Whoever signs in finds their space, its project, its board, and the board's columns with tasks."""
    user = (await workspace.sign_in(ANNA))["user"]

    [space] = await workspace.get("space/spacesByUserId")
    [project] = await workspace.get(f"project/projectsBySpace/{space['id']}")
    [board] = await workspace.get(f"board/boardsByProject/{project['id']}")
    columns = await workspace.get(f"column/getByBoardOneLayer/{board['id']}")

    assert user["id"] in space["users"]
    assert [column["name"] for column in columns] == list(COLUMNS)
    assert [column["isClose"] for column in columns] == [False, False, False, True]
    assert [task["name"] for column in columns for task in column["tasks"]] == ["Bake"]


async def test_life_of_a_task(workspace: Workspace) -> None:
    """A task is created with 201, moved, changed and commented, and its comments come with its column."""
    user = (await workspace.sign_in(ANNA))["user"]
    [board] = await workspace.get("board/boardsByUser")
    todo, doing, *_ = await workspace.get(f"column/getByBoard/{board['id']}")

    made = await workspace.call("POST", "task/create", name="Sell", columnId=todo["id"])
    key = made.json()["id"]
    await workspace.call("POST", f"task/change-column/{key}", columnId=doing["id"])
    await workspace.call("POST", f"task/update/{key}", users=[user["id"]], endDate="2026-12-01")
    comment = await workspace.call("POST", "comment/create", task=key, text="<p>Hot</p>")

    [task] = await workspace.get(f"task/getTasksByColumn/{doing['id']}")
    assert (made.status_code, comment.status_code) == (201, 201)
    assert task["taskNumber"] == "SHP-2"
    assert [each["id"] for each in task["users"]] == [user["id"]]
    assert task["endDate"] == "2026-12-01"
    assert [each["text"] for each in task["comments"]] == ["<p>Hot</p>"]
    assert [each["id"] for each in await workspace.get("task/my")] == [key]


async def test_dialect_of_2024(http: httpx.AsyncClient) -> None:
    """A workspace of the second dialect has plural addresses and wants the version header."""
    workspace = Workspace(http, "newer")
    await workspace.control("PUT", **WORKSPACE, profile="v2024")
    await workspace.sign_in(ANNA)
    url = "/teamflame/newer/api/tasks/my"
    headers = {"Authorization": f"Bearer {workspace.token}"}

    old = await workspace.call("GET", "task/my")
    bare = await http.get(url, headers=headers)
    right = await http.get(url, headers=headers | {"X-Api-Version": "1"})

    assert (old.status_code, bare.status_code, right.status_code) == (404, 400, 200)


async def test_strangers_are_kept_out(workspace: Workspace) -> None:
    """Nobody reads or changes what is in a space of others, and nobody gets in without a valid token."""
    await workspace.sign_in(ANNA)
    [board] = await workspace.get("board/boardsByUser")
    [column, *_] = await workspace.get(f"column/getByBoard/{board['id']}")
    await workspace.sign_in(CARL)

    answers = [
        await workspace.call("GET", f"board/{board['id']}"),
        await workspace.call("GET", f"column/getByBoardOneLayer/{board['id']}"),
        await workspace.call("POST", "task/create", name="Mine", columnId=column["id"]),
    ]
    workspace.token = workspace.token[:-2] + "xx"
    forged = await workspace.call("GET", "user/me")

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert forged.status_code == 401


async def test_tokens_expire_and_are_renewed_once(workspace: Workspace) -> None:
    """An expired access token gets 401; a refresh token gets a new one, and works only once."""
    tokens = (await workspace.sign_in(ANNA))["tokens"]
    await workspace.control("POST", "/act", by=ANNA["email"], do="expire")
    url = f"/teamflame/{workspace.name}/auth/auth/refresh-token"
    refresh = {"refreshToken": tokens["refreshToken"]["token"]}

    expired = await workspace.call("GET", "user/me")
    renewed = await workspace.http.post(url, json=refresh)
    again = await workspace.http.post(url, json=refresh)
    workspace.token = renewed.json()["tokens"]["accessToken"]["token"]

    assert expired.status_code == 401
    assert (await workspace.call("GET", "user/me")).status_code == 200
    assert again.status_code == 401


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"mode": "error", "status": 429, "retry_after": 3}, 429),
        ({"mode": "error"}, 500),
        ({"mode": "unauthorized"}, 401),
        ({"mode": "slow", "seconds": 0.01}, 200),
    ],
)
async def test_faults(workspace: Workspace, fault: dict[str, Any], status: int) -> None:
    """A fault hits the calls that it names, as often as it says."""
    await workspace.sign_in(ANNA)
    await workspace.control("POST", "/faults", **fault, cmd="own_profile", times=1)

    spaces = await workspace.call("GET", "space/spacesByUserId")
    first = await workspace.call("GET", "user/me")
    second = await workspace.call("GET", "user/me")

    assert (spaces.status_code, first.status_code, second.status_code) == (200, status, 200)


async def test_lost_answer_is_carried_out(workspace: Workspace) -> None:
    """A call whose answer is lost has been carried out, and is recorded without a status."""
    await workspace.sign_in(ANNA)
    [board] = await workspace.get("board/boardsByUser")
    [column, *_] = await workspace.get(f"column/getByBoard/{board['id']}")
    await workspace.control("POST", "/faults", mode="lost_answer", times=1)

    with pytest.raises(httpx.TransportError):
        await workspace.call("POST", "task/create", name="Sell", columnId=column["id"])

    tasks = await workspace.get(f"task/getTasksByColumn/{column['id']}")
    assert [task["name"] for task in tasks] == ["Sell"]
    lost = [call for call in await workspace.control("GET", "/calls") if call["status"] is None]
    assert [(call["path"], call["by"]) for call in lost] == [("task/create", "anna@example.com")]


async def test_people_act(workspace: Workspace) -> None:
    """The control call does in the name of a person what a browser would do."""
    by = {"by": "boris@example.com", "board": "Week"}
    await workspace.control("POST", "/act", **by, do="create", name="Sell", due="2026-12-01")
    await workspace.control("POST", "/act", **by, do="move", task="Sell", column=COLUMNS[1])
    await workspace.control("POST", "/act", **by, do="comment", task="Sell", text="Soon")

    [shop] = (await workspace.control("GET"))["spaces"][0]["projects"]
    columns = {each["name"]: each["tasks"] for each in shop["boards"][0]["columns"]}
    [task] = columns[COLUMNS[1]]
    assert (task["name"], task["due"], task["comments"]) == ("Sell", "2026-12-01", ["Soon"])
