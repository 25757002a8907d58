"""Who is let in where: every address of the application, every method, every kind of key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from api import create_app
from tests.fakes.gateway import FakeGateway
from tests.unit.api.calls import ADMIN_KEY, FORM, NUMBER, bearer, draft, start
from tests.unit.api.planfix_calls import GOOD

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol
    from quart.wrappers import Response

    from api.settings import Settings

OTHER, PURGED, FREE = "380670000001", "380670000002", "380630000001"
ADMIN, EITHER = frozenset({"admin"}), frozenset({"admin", "token"})
WAYS = {"admin": ("admin", "bare admin"), "token": ("token", "bare token", "bearer token")}
NAMED = {"name": "Romashka", "number": NUMBER}
CHANGE = {"number": NUMBER, "token_planfix": "new"}
# What needs no key at all; everything under /login/ and /files/ is a key itself.
PUBLIC = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/docs"),
    ("GET", "/"),
    ("GET", "/console"),
    ("GET", "/console/link/<secret>"),  # a page that asks; only its POST uses the link
    ("GET", "/openapi.json"),
    ("GET", "/static/<path:filename>"),
}
LINKS = {
    ("GET", "/files/<token>/<name>"),
    ("POST", "/console/link/<secret>"),
    ("GET", "/login/<secret>/"),
    ("POST", "/login/<secret>/"),
    ("GET", "/login/<secret>/state"),
    ("GET", "/login/<secret>/qr.svg"),
}
PLANFIX = {("POST", "/webhook/message")}  # its token is a field
# For nodes of the same cluster, see tests/acceptance/nodes/.
NODES = {("GET", "/nodes/numbers"), ("GET", "/nodes/traffic")}
# A key opens what belongs to its own sender, see tests/acceptance/notifications/.
OF_SENDER = {
    ("POST", "/notify"),
    ("GET", "/notify/<notification>"),
    ("POST", "/notify/preview"),
    ("GET", "/templates/<name>"),
    ("PUT", "/templates/<name>"),
    ("DELETE", "/templates/<name>"),
    ("POST", "/webhook/planfix-event"),
    ("GET", "/bot<token>/<method>"),
    ("POST", "/bot<token>/<method>"),
}
MINI_APP = "/teamflame/"  # opened by no key of ours, see tests/acceptance/teamflame/test_attacks.py
GUARDED: dict[tuple[str, str], tuple[frozenset[str], dict[str, str] | None]] = {
    ("POST", "/webhook"): (ADMIN, draft(number=FREE)),
    ("GET", "/webhook"): (EITHER, NAMED),
    ("PUT", "/webhook"): (EITHER, CHANGE),
    ("DELETE", "/webhook"): (EITHER, NAMED),
    ("GET", "/numbers"): (ADMIN, None),
    ("GET", "/numbers/<number>"): (EITHER, None),
    ("POST", "/numbers/actions"): (ADMIN, {"action": "start", "client": "Romashka"}),
    ("GET", "/events"): (ADMIN, None),
    ("GET", "/nodes"): (ADMIN, None),
    ("POST", "/nodes/<node>/drain"): (ADMIN, None),
    ("GET", "/numbers/<number>/history"): (EITHER, None),
    ("GET", "/numbers/<number>/chats"): (EITHER, None),
    ("GET", "/numbers/<number>/traffic"): (EITHER, None),
    ("GET", "/numbers/<number>/log"): (ADMIN, None),
    ("GET", "/traffic"): (ADMIN, None),
    ("POST", "/numbers/<number>/planfix/test"): (EITHER, {"provider_id": "x"}),
    ("GET", "/numbers/<number>/messages/<message_id>"): (EITHER, None),
    ("DELETE", "/numbers/<number>/messages/<message_id>"): (EITHER, None),
    ("POST", "/numbers/<number>/restart"): (EITHER, None),
    ("POST", "/numbers/<number>/login"): (EITHER, {"method": "qr"}),
    ("POST", "/numbers/<number>/login/code"): (EITHER, {"code": "1"}),
    ("POST", "/numbers/<number>/login/password"): (EITHER, {"password": "1"}),
    ("GET", "/numbers/<number>/login/qr.svg"): (EITHER, None),
    ("POST", "/numbers/<number>/login/link"): (ADMIN, None),
    ("POST", "/numbers/<number>/session/export"): (ADMIN, {"format": "string"}),
    ("GET", "/numbers/<number>/messages"): (EITHER, None),
    ("POST", "/numbers/<number>/messages/<message_id>/replay"): (EITHER, None),
    ("POST", "/numbers/<number>/replay"): (EITHER, None),
    ("GET", "/numbers/<number>/receipts"): (EITHER, None),
    ("POST", "/bots"): (ADMIN, {"name": "Acme", "token": f"{FREE}:AAsecret"}),
    ("GET", "/bots"): (ADMIN, None),
    ("GET", "/bots/<bot>"): (EITHER, None),
    ("DELETE", "/bots/<bot>"): (EITHER, None),
    ("POST", "/bots/<bot>/restart"): (EITHER, None),
    ("GET", "/bots/<bot>/people"): (EITHER, None),
    ("GET", "/audit"): (ADMIN, None),
    ("GET", "/metrics"): (ADMIN, None),
    ("GET", "/alarms"): (ADMIN, None),
}
ADMITTED = {200, 201, 202, 404, 409}  # what an owner hears who asks for what is not there


@dataclass(frozen=True)
class Tokens:
    """Tokens of one number, of its neighbour, of times gone by."""

    own: str
    others: str
    replaced: str
    purged: str


def asked_by(tokens: Tokens) -> dict[str, dict[str, Any]]:
    """Name every way to show a key, the right ones last."""
    wrong: dict[str, dict[str, str]] = {
        "nothing": {},
        "an empty key": bearer(""),
        "a wrong key": bearer("wrong"),
        "a wrong token": {"Token": "wrong"},
        "Basic": {"Authorization": f"Basic {ADMIN_KEY}"},
        "not ASCII": bearer("ключ".encode().decode("latin-1")),
        "the key's start": bearer(ADMIN_KEY[:-1]),
        "the key in capitals": bearer(ADMIN_KEY.upper()),
        "a neighbour's token": bearer(tokens.others),
        "a neighbour's token in its header": {"Token": tokens.others},
        "a replaced token": bearer(tokens.replaced),
        "a purged number's token": bearer(tokens.purged),
        "a neighbour's bare token": {"Authorization": tokens.others},
        "a scheme without a key": {"Authorization": "Bearer"},
        "a key that is called another scheme": {"Authorization": f"Token {tokens.own}"},
        "a key with a tail": {"Authorization": f"{tokens.own} x"},
        "a cookie": {"Cookie": f"token={tokens.own}; admin_key={ADMIN_KEY}"},
    }
    in_query = [("token", tokens.own), ("Token", tokens.own), ("admin_key", ADMIN_KEY)]
    return {
        **{name: {"headers": headers} for name, headers in wrong.items()},
        "the query": {"query_string": dict(in_query)},
        "token": {"headers": {"Token": tokens.own}},
        "bare token": {"headers": {"Authorization": tokens.own}},
        "bearer token": {"headers": bearer(tokens.own)},
        "admin": {"headers": bearer(ADMIN_KEY)},
        "bare admin": {"headers": {"Authorization": ADMIN_KEY}},
    }


async def call(
    client: TestClientProtocol, method: str, path: str, body: Any = None, **asked: Any
) -> Response:
    return await client.open(path, method=method, json=body, **asked)


async def open_numbers(client: TestClientProtocol) -> Tokens:
    named = {**NAMED, "number": NUMBER}
    replaced = await start(client)
    await client.delete("/webhook", json=named, headers=bearer(ADMIN_KEY))
    own = await start(client)
    others = await start(client, name="Vesna", number=OTHER)
    purged = await start(client, number=PURGED)
    gone = {**NAMED, "number": PURGED, "purge": True}
    await client.delete("/webhook", json=gone, headers=bearer(ADMIN_KEY))
    return Tokens(own, others, replaced, purged)


def path_of(rule: str, number: str = NUMBER) -> str:
    for name in ("<number>", "<bot>"):
        rule = rule.replace(name, number)
    return rule.replace("<message_id>", "1")


def body_for(body: dict[str, str] | None, number: str) -> dict[str, str] | None:
    return body and body | ({"number": number} if "number" in body else {})


def test_every_address_is_in_the_table(settings: Settings) -> None:
    """An address that is added to the application is added here."""
    app = create_app(settings, FakeGateway())

    walked = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not rule.rule.startswith(MINI_APP)
    }

    assert walked == PUBLIC | LINKS | PLANFIX | NODES | OF_SENDER | GUARDED.keys()


@pytest.mark.parametrize(("method", "rule"), GUARDED)
async def test_only_the_right_key_opens(
    client: TestClientProtocol, gateway: FakeGateway, method: str, rule: str
) -> None:
    """Whoever has not the right key gets 401, changes nothing; with the right one it is heard."""
    right, body = GUARDED[method, rule]
    tokens = await open_numbers(client)
    asked = asked_by(tokens)
    before = dict(gateway.views)

    opening = {way for whose in right for way in WAYS[whose]}
    for name in asked.keys() - opening:
        response = await call(client, method, path_of(rule), body, **asked[name])
        error = (await response.get_json()).get("error")
        assert (response.status_code, error) == (401, "unauthorized"), name
        assert response.headers["WWW-Authenticate"] == "Bearer"
    assert (gateway.views, gateway.changed, gateway.logins.open) == (before, [], {})
    assert not gateway.links.given

    for name in sorted(opening):
        response = await call(client, method, path_of(rule), body, **asked[name])
        assert response.status_code in ADMITTED, name


@pytest.mark.parametrize(("method", "rule"), GUARDED)
async def test_numbers_can_not_be_probed(
    client: TestClientProtocol, method: str, rule: str
) -> None:
    """Whatever key but the right one is shown: a number that exists answers as one that does not."""
    _, body = GUARDED[method, rule]
    tokens = await open_numbers(client)

    for key in ("wrong", tokens.purged, tokens.others):
        said = [
            await heard(
                await call(
                    client,
                    method,
                    path_of(rule, number),
                    body_for(body, number),
                    headers=bearer(key),
                )
            )
            for number in (NUMBER, FREE, PURGED)
        ]
        assert said[0] == said[1] == said[2]
        assert said[0][0] == 401


async def heard(response: Response) -> tuple[int, bytes, list[str]]:
    data = await response.get_data(as_text=False)
    return response.status_code, data, sorted(response.headers.keys())


@pytest.mark.parametrize(("method", "rule"), sorted(OF_SENDER))
async def test_sender_needs_a_key(
    client: TestClientProtocol, gateway: FakeGateway, method: str, rule: str
) -> None:
    """Without a key that belongs to somebody nothing is sent, shown or kept."""
    tokens = await open_numbers(client)
    asked = asked_by(tokens)
    path = rule.replace("<notification>", "ntf_1").replace("<name>", "task.created")
    path = path.replace("<token>", "1234567:AAwrong").replace("<method>", "getMe")

    for name in ("nothing", "an empty key", "a wrong key", "Basic", "a purged number's token"):
        response = await call(client, method, path, {"to": [1], "text": "x"}, **asked[name])
        assert response.status_code == 401, name
    assert (gateway.notifications.accepted, gateway.notifications.templates) == ([], {})


@pytest.mark.parametrize(("method", "rule"), sorted(PUBLIC))
async def test_public_address_tells_no_secret(
    client: TestClientProtocol, method: str, rule: str
) -> None:
    """What needs no key knows nothing about numbers, nor keys."""
    await open_numbers(client)

    response = await call(client, method, rule.replace("<path:filename>", "login.css"))
    text = await response.get_data(as_text=True)

    assert response.status_code == (302 if rule == "/" else 200)
    assert [secret for secret in (ADMIN_KEY, OTHER, "Vesna") if secret in text] == []


@pytest.mark.parametrize(("method", "rule"), sorted(LINKS))
async def test_no_key_opens_a_link(client: TestClientProtocol, method: str, rule: str) -> None:
    """Links are opened by what is in them, neither by a token nor by the admin key."""
    tokens = await open_numbers(client)
    path = rule.replace("<name>", "a.jpg")

    for secret in (tokens.own, ADMIN_KEY, NUMBER):
        response = await call(
            client,
            method,
            path.replace("<token>", secret).replace("<secret>", secret),
            headers=bearer(ADMIN_KEY),
        )
        assert response.status_code in {404, 410}


@pytest.mark.parametrize("channel", [NUMBER, "", None, OTHER, PURGED, FREE])
async def test_planfix_is_known_by_its_token(
    client: TestClientProtocol, gateway: FakeGateway, channel: str | None
) -> None:
    """A message is taken with its number's token alone, wherever the call says it belongs."""
    tokens = await open_numbers(client)
    keys = {
        "own": tokens.own,
        "others": tokens.others,
        "replaced": tokens.replaced,
        "purged": tokens.purged,
        "admin": ADMIN_KEY,
        "none": "",
    }
    named = {} if channel is None else {"channel": channel}
    fields = {name: value for name, value in GOOD.items() if name != "channel"} | named

    taken = []
    for name, token in keys.items():
        response = await client.post(
            "/webhook/message",
            form={**fields, "token": token},
            headers={"Content-Type": FORM},
            query_string={"token": tokens.own},
        )
        if response.status_code == 200:
            taken.append(name)
        else:
            assert response.status_code == 401
            assert (await response.get_json())["error"] == "Invalid token"

    expected = {NUMBER: ["own"], OTHER: ["others"], PURGED: [], FREE: []}
    assert taken == expected.get(channel or "", ["own", "others"])


@pytest.mark.parametrize("rule", sorted({rule for _, rule in GUARDED}))
async def test_other_methods_open_nothing(client: TestClientProtocol, rule: str) -> None:
    """A method that nobody expects is no way around the door."""
    for method in ("PATCH", "TRACE", "CONNECT", "PROPFIND"):
        response = await call(client, method, path_of(rule), headers=bearer(ADMIN_KEY))
        assert response.status_code == 405, method


@pytest.mark.parametrize("rule", sorted({rule for _, rule in GUARDED}))
async def test_head_is_guarded_as_get(client: TestClientProtocol, rule: str) -> None:
    """HEAD needs the key of GET; OPTIONS names methods alone."""
    await open_numbers(client)

    head = await client.head(path_of(rule), query_string=NAMED)
    options = await client.options(path_of(rule))

    # Where only POST is a call of its own, GET asks for a number with that name.
    has_get = ("GET", rule) in GUARDED or rule == "/numbers/actions"
    assert head.status_code == (401 if has_get else 405)
    assert await options.get_data() == b""
