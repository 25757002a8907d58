"""What strangers, thieves and other people of the same bot can do: nothing."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from teamflame.web import auth, boards, tasks
from tests.acceptance.teamflame.office import (
    ANNA,
    BOT_TOKEN,
    CARL,
    HOSTILE,
    init_data,
)

if TYPE_CHECKING:
    from tests.acceptance.teamflame.office import Office

pytestmark = pytest.mark.asyncio(loop_scope="session")

DAY = 24 * 3600
OPEN = {("POST", "/teamflame/api/auth/sign-in")}  # it takes keys in its body


def proofs(user_id: int) -> dict[str, str]:
    """Name every proof that proves nothing."""
    good = init_data(user_id)
    mine = init_data(user_id, user=json.dumps({"id": user_id + 1}))
    head, _, tail = good.partition("auth_date=")
    return {
        "nothing": "",
        "no data": "tma ",
        "another scheme": f"Basic {good}",
        "no scheme": good,
        "another bot's": f"tma {init_data(user_id, bot_token=BOT_TOKEN[:-1] + 'x')}",
        "another user, the old hash": f"tma {_with_hash_of(mine, good)}",
        "stale": f"tma {init_data(user_id, at=time.time() - DAY - 1)}",
        "from the future": f"tma {init_data(user_id, at=time.time() + DAY)}",
        "no time": f"tma {init_data(user_id, auth_date='')}",
        "a strange time": f"tma {init_data(user_id, auth_date='1e9')}",
        "no user": f"tma {init_data(user_id, user='')}",
        "a user without an id": f"tma {init_data(user_id, user='{}')}",
        "an id that is no number": f"tma {init_data(user_id, user=json.dumps({'id': '1'}))}",
        "a field twice": f"tma {head}auth_date={tail}&auth_date=1",
        "a field more": f"tma {good}&more=1",
        "no hash": f"tma {good.partition('&hash=')[0]}",
        "a huge one": f"tma {init_data(user_id, start_param='x' * 9000)}",
        "not encoded": "tma %ff%fe=1&hash=%00",
        "a made-up token": "Bearer eyJ1c2VyIjoxfQ.AAAA",
        "an empty token": "Bearer ",
        "a token that is no ASCII": "Bearer ключ".encode().decode("latin-1"),
    }


def _with_hash_of(data: str, other: str) -> str:
    return data.partition("&hash=")[0] + "&hash=" + other.partition("&hash=")[2]


def calls(ids: dict[str, str]) -> list[tuple[str, str, dict[str, Any] | None]]:
    """Name every call of the service, about what belongs to Anna's space."""
    week, task, todo = ids["Week"], ids["Bake"], ids["To do"]
    space, project = ids["Bakery"], ids["Shop"]
    return [
        ("GET", f"/users?space_id={space}", None),
        ("GET", f"/projects?space_id={space}", None),
        ("GET", f"/boards?project_id={project}", None),
        ("POST", "/boards", {"name": "Mine", "project_id": project, "space_id": space}),
        ("GET", f"/boards/{week}", None),
        ("PUT", f"/boards/{week}/selected", {}),
        ("PUT", f"/boards/{week}/notifications", {"kinds": {"moved": True}}),
        ("POST", "/columns", {"name": "Mine", "board_id": week}),
        ("POST", "/tasks", {"title": "Mine", "column_id": todo, "board_id": week}),
        ("GET", f"/tasks/{task}", None),
        ("PATCH", f"/tasks/{task}", {"title": "Mine"}),
        ("POST", f"/tasks/{task}/move", {"column_id": ids["Done"]}),
        ("POST", "/comments", {"task_id": task, "text": "Mine"}),
    ]


OF_ONESELF = [
    ("POST", "/auth/telegram"),
    ("POST", "/auth/sign-out"),
    ("GET", "/users/me"),
    ("GET", "/spaces"),
    ("GET", "/tasks/mine"),
]


async def test_no_call_without_proof(office: Office) -> None:
    """A missing, forged, stale or foreign proof opens no call, and TeamFlame hears nothing of it."""
    user = office.person()
    before = len(await office.calls())

    for name, proof in proofs(user.user_id).items():
        user.headers = {"Authorization": proof}
        for method, path, body in calls(office.ids):
            status, answer = await user.call(method, path, **body or {})
            assert (status, answer["error"]) == (401, "unauthorized"), (name, path)
        own_choice = ("GET", f"/boards/{office.ids['Week']}/notifications")
        for method, path in [*OF_ONESELF, own_choice]:
            assert (await user.call(method, path))[0] == 401, (name, path)

    assert len(await office.calls()) == before


async def test_every_call_is_tried(office: Office) -> None:
    """A call that is added to the service is added to these lists."""
    app = office.client.app
    rules = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/teamflame/api/")
    }
    week, task = office.ids["Week"], office.ids["Bake"]
    tried = {
        (method, f"/teamflame/api{path.partition('?')[0]}")
        for method, path, _ in [*calls(office.ids), *((m, p, None) for m, p in OF_ONESELF)]
    }
    known = {
        (method, path.replace(week, "<board>").replace(task, "<task>")) for method, path in tried
    }

    assert rules == known | OPEN | {("GET", "/teamflame/api/boards/<board>/notifications")}
    assert {each.blueprint.name for each in (auth, boards, tasks)} <= set(app.blueprints)


async def test_nobody_acts_as_another(office: Office) -> None:
    """Whoever is signed in reaches nothing of a space of others, by whichever id."""
    carl = office.person()
    await carl.sign_in(CARL)
    before = await office.task("Bake")

    for method, path, body in calls(office.ids):
        status, answer = await carl.call(method, path, **body or {})
        assert (status, answer["error"]) == (403, "forbidden"), path

    assert await office.task("Bake") == before
    subscriptions = await office.teamflame.choices.subscriptions()
    assert carl.user_id not in {each.user_id for each in subscriptions}


async def test_signed_in_is_only_who_signed_in(office: Office) -> None:
    """That somebody has signed in opens nothing to the next Telegram user."""
    anna, stranger = office.person(), office.person()
    await anna.sign_in(ANNA)

    for method, path, body in calls(office.ids):
        status, answer = await stranger.call(method, path, **body or {})
        assert (status, answer["error"]) == (403, "sign_in_needed"), path


@pytest.mark.parametrize("key", ["..%2f..%2fuser%2fme", "a b", "x" * 101, "%00", "%D0%BA", "1'--"])
async def test_ids_that_are_none(office: Office, key: str) -> None:
    """What cannot be an id is refused and becomes no part of a call to TeamFlame."""
    anna = office.person()
    await anna.sign_in(ANNA)
    before = len(await office.calls())

    for path in (f"/boards/{key}", f"/tasks/{key}", f"/projects?space_id={key}"):
        assert (await anna.call("GET", path))[0] in {400, 404}, path

    assert len(await office.calls()) == before


async def test_hostile_texts_stay_texts(office: Office) -> None:
    """Scripts in each field come back as the same text, and lie at TeamFlame as text where it takes HTML."""
    anna = office.person()
    await anna.sign_in(ANNA)
    where = {"column_id": office.ids["To do"], "board_id": office.ids["Week"]}

    task = await anna.do("POST", "/tasks", title=HOSTILE, description=HOSTILE, **where)
    shown = await anna.get(f"/tasks/{task['id']}")

    assert (shown["title"], shown["description"]) == (HOSTILE, HOSTILE)
    await anna.do("POST", "/comments", task_id=task["id"], text=HOSTILE)
    [comment] = (await anna.get(f"/tasks/{task['id']}"))["comments"]
    assert comment["text"] == HOSTILE
    stored = await office.task(HOSTILE)
    assert "<script>" not in stored["description"] + stored["comments"][0]
    place = {"project_id": office.ids["Shop"], "space_id": office.ids["Bakery"]}
    board = await anna.do("POST", "/boards", name=HOSTILE, **place)
    column = await anna.do("POST", "/columns", name=HOSTILE, board_id=board["id"])
    shown = await anna.get(f"/boards/{board['id']}")
    assert (
        [shown["name"], shown["columns"][-1]["name"]] == [HOSTILE, column["name"]] == [HOSTILE] * 2
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "x" * 501},
        {"title": " "},
        {"title": "a\0b"},
        {"title": "\ud800"},
        {"title": ["Sell"]},
        {"description": "x" * 20_001},
        {"assignee_ids": ["1"] * 101},
        {"assignee_ids": ["../me"]},
        {"due": "tomorrow"},
        {"due": "2026-12-01T00:00:00"},
        {"unknown": 1},
    ],
    ids=lambda fields: next(iter(fields)),
)
async def test_fields_that_are_none(office: Office, fields: dict[str, Any]) -> None:
    """Fields that are too long, of another type or unknown are refused by name."""
    anna = office.person()
    await anna.sign_in(ANNA)
    where = {"column_id": office.ids["To do"], "board_id": office.ids["Week"]}

    status, answer = await anna.call("POST", "/tasks", **{"title": "Sell", **where, **fields})

    assert (status, answer["error"]) == (400, "invalid_request")
    assert await office.calls("task/create") == []


async def test_every_body_is_limited(office: Office) -> None:
    """Each field of each call that is too long, or an id that is none, is refused before TeamFlame hears of it."""
    anna = office.person()
    await anna.sign_in(ANNA)
    before = len(await office.calls())
    long = {"name": 501, "title": 501, "text": 20_001, "description": 20_001}

    for method, path, body in calls(office.ids):
        for field, value in (body or {}).items():
            if not isinstance(value, str):
                continue
            length = long.get(field)
            wrong = "x" * length if length else "../user/me"
            status, answer = await anna.call(method, path, **{**(body or {}), field: wrong})
            assert (status, answer["error"]) == (400, "invalid_request"), (path, field)
    keys = {"email": f"{'a' * 201}@example.com", "password": "x"}
    assert (await anna.call("POST", "/auth/sign-in", **keys))[0] == 400
    keys = {"email": ANNA["email"], "password": "x" * 501}
    assert (await anna.call("POST", "/auth/sign-in", **keys))[0] == 400

    assert len(await office.calls()) == before


async def test_huge_body(office: Office) -> None:
    """A body beyond every sensible size is not read into fields."""
    anna = office.person()
    await anna.sign_in(ANNA)

    status, answer = await anna.call("POST", "/comments", text="x" * 300_000, task_id="1")

    assert (status, answer["error"]) == (413, "body_too_large")


async def test_passwords_cannot_be_guessed_quickly(office: Office) -> None:
    """After some wrong passwords one has to wait, even with the right one; others need not."""
    anna, other = office.person(), office.person()
    keys = {"email": ANNA["email"], "password": "wrong"}

    answers = [(await anna.call("POST", "/auth/sign-in", **keys))[0] for _ in range(10)]
    right = await anna.call("POST", "/auth/sign-in", **{**keys, "password": ANNA["password"]})

    assert answers == [400] * 8 + [429] * 2
    assert right[0] == 429
    assert (await other.sign_in(ANNA))["account"]["name"] == "Anna"


async def test_tokens_belong_to_one_bot_and_one_person(office: Office) -> None:
    """A token that is changed in any place opens nothing."""
    anna = office.person()
    token = (await anna.do("POST", "/auth/telegram"))["token"]
    body, _, signature = token.partition(".")

    for changed in (f"{body}x.{signature}", f"{body}.{signature}x", f"A{body}.{signature}", body):
        anna.headers = {"Authorization": f"Bearer {changed}"}
        assert (await anna.call("POST", "/auth/telegram"))[0] == 401
