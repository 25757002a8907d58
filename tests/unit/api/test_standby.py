"""A gateway on standby: it answers what platforms ask, and refuses everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.api.calls import ADMIN_KEY, bearer
from tests.unit.api.planfix_calls import GOOD
from tests.unit.api.security.test_attack_table import (
    GUARDED,
    LINKS,
    PLANFIX,
    PUBLIC,
    call,
    open_numbers,
    path_of,
)

if TYPE_CHECKING:
    from quart.typing import TestClientProtocol

    from tests.fakes.gateway import FakeGateway


CONSOLE_LINK = {
    ("POST", "/console/link/<secret>")
}  # made by a gateway of the demo that is not on standby


@pytest.mark.parametrize(
    ("method", "rule"), sorted((GUARDED.keys() | LINKS | PLANFIX) - CONSOLE_LINK)
)
async def test_nothing_about_numbers_is_answered(
    client: TestClientProtocol, gateway: FakeGateway, method: str, rule: str
) -> None:
    """While another gateway owns the data, each call about numbers gets 503 with the reason."""
    tokens = await open_numbers(client)
    secret = (await gateway.links.make("380500000001")).secret
    before = dict(gateway.views)
    gateway.takeover.is_on_standby = True

    path = path_of(rule).replace("<secret>", secret).replace("<token>", "signed")
    asked: dict[str, Any] = {"headers": bearer(ADMIN_KEY)}
    body: dict[str, Any] | None = GUARDED[method, rule][1] if (method, rule) in GUARDED else None
    if (method, rule) in PLANFIX:
        body = {**GOOD, "token": tokens.own}
    response = await call(client, method, path, body, **asked)

    assert response.status_code == 503
    assert gateway.views == before
    if "<secret>" not in rule:  # people read that one
        refusal = await response.get_json()
        assert refusal["error"] == "standing_by"
        assert "another gateway runs here" in refusal["detail"]


@pytest.mark.parametrize(("method", "rule"), sorted(PUBLIC))
async def test_public_addresses_are_served(
    client: TestClientProtocol, gateway: FakeGateway, method: str, rule: str
) -> None:
    """Liveness, readiness and the pages do not depend on who owns the data."""
    gateway.takeover.is_on_standby = True

    response = await call(client, method, rule.replace("<path:filename>", "login.css"))

    assert response.status_code == (302 if rule == "/" else 200)  # "/" leads to the console
