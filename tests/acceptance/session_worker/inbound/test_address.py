"""Where the name of a client's Planfix may lead."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest

from sandbox.planfix.settings import Settings
from sandbox.sandbox import Sandbox
from session_worker.planfix.answer import PlanfixError, PlanfixForbidden
from session_worker.planfix.client import PlanfixClient
from session_worker.protocol.contract import PlanfixAccount
from session_worker.protocol.messages import Failed
from tests.acceptance.session_worker.outbound.network import Names, Network
from tests.fakes.file_server import Answer, FileServer
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.acceptance.session_worker.inbound.inbound_number import InboundNumber

PUBLIC, OTHER_PUBLIC, PRIVATE = "93.184.216.34", "93.184.216.35", "10.0.0.5"
NAME = "planfix.example"


@pytest.fixture
def names() -> Names:
    return Names({NAME: [[PUBLIC]]})


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    """Give a network in which every address is the sandbox's Planfix."""
    async with Sandbox() as sandbox:
        settings = Settings(planfix_token="key", provider_id="telegram")
        port = httpx.URL(sandbox.planfix.put_account("acme", settings).url).port
        assert port is not None
        yield Network(port)


@pytest.fixture
async def planfix(names: Names, network: Network) -> AsyncIterator[PlanfixClient]:
    made = make_planfix(names, network)
    yield made
    await made.close()


def make_planfix(names: Names, network: Network, *, may_be_private: bool = False) -> PlanfixClient:
    url = f"http://{NAME}/planfix/acme/webchat/api"
    account = PlanfixAccount(
        url=url, token="key", provider_id="telegram", may_be_private=may_be_private
    )
    return PlanfixClient(account, "380501112233", look_up=names.look_up, network=network)


async def call(planfix: PlanfixClient) -> None:
    assert await planfix.get_task(1) is None


async def test_name_is_looked_up_once(
    planfix: PlanfixClient, names: Names, network: Network
) -> None:
    """The socket is opened to the address that was checked, then used again."""
    names.answers[NAME] = [[PUBLIC], [PRIVATE]]

    await call(planfix)
    await call(planfix)

    assert (names.asked, network.dialled) == ([NAME], [PUBLIC])


async def test_next_address_is_tried(
    planfix: PlanfixClient, names: Names, network: Network
) -> None:
    """A public address that does not answer gives way to another one of that name."""
    names.answers[NAME] = [[OTHER_PUBLIC, PUBLIC]]
    network.dead.add(OTHER_PUBLIC)

    await call(planfix)

    assert network.dialled == [OTHER_PUBLIC, PUBLIC]


async def test_old_addresses_come_first(
    planfix: PlanfixClient, names: Names, network: Network
) -> None:
    """A server whose IPv6 leads nowhere calls Planfix without delay."""
    names.answers[NAME] = [["2606:2800:220:1::1", PUBLIC]]

    await call(planfix)

    assert network.dialled == [PUBLIC]


@pytest.mark.parametrize("addresses", [[PRIVATE], [PUBLIC, PRIVATE], ["127.0.0.1"], ["::1"]])
async def test_private_address_is_not_called(
    planfix: PlanfixClient, names: Names, network: Network, addresses: list[str]
) -> None:
    """A name that leads inside is not called however often; once it leads outside it is."""
    names.answers[NAME] = [addresses]
    for _ in range(20):
        with pytest.raises(PlanfixForbidden, match=NAME):
            await call(planfix)
    assert network.dialled == []

    names.answers[NAME] = [[PUBLIC]]

    await call(planfix)
    assert network.dialled == [PUBLIC]


async def test_operator_may_allow_private_addresses(names: Names, network: Network) -> None:
    """Planfix in the operator's own network is called where the setting says so."""
    names.answers[NAME] = [[PRIVATE]]
    planfix = make_planfix(names, network, may_be_private=True)

    await call(planfix)
    await planfix.close()

    assert network.dialled == [PRIVATE]


async def test_redirect_is_not_followed(names: Names) -> None:
    """A Planfix cannot send us elsewhere, not even to itself."""
    async with FileServer() as server:
        moved = Answer(status=307, headers=("Location: /elsewhere",))
        server.offer("planfix/acme/webchat/api", moved)
        planfix = make_planfix(names, Network(server.port))

        with pytest.raises(PlanfixError):
            await call(planfix)
        await planfix.close()

        assert server.requests == ["/planfix/acme/webchat/api"]


async def test_messages_wait_for_a_better_address(idle: InboundNumber) -> None:
    """What can't be delivered because of the address is kept, not tried again and again."""
    idle.may_be_private = False
    began = time.time()
    await idle.start()
    idle.write("hello")
    idle.write("anybody there?")
    await eventually(lambda: idle.recorder.failures)
    (failed,) = (event for event in idle.recorder.events if isinstance(event, Failed))
    assert failed.failure.code == "planfix_forbidden"
    assert (failed.failure.next_try or 0) > began + 200

    await idle.kill()
    idle.may_be_private = True
    await idle.start_again()

    await idle.until_texts("hello", "anybody there?")
