"""A number that waits for its login, with the phone of its owner beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.waiting import eventually

if TYPE_CHECKING:
    import httpx

    from tests.acceptance.api.operator import Operator
    from tests.acceptance.api.server import Server

PASSWORD = "correct horse battery"


class Phone:
    """What the operator, the client, the account's owner do about one login."""

    def __init__(self, operator: Operator, server: Server, number: str, made: Any) -> None:
        self.operator = operator
        self.server = server
        self.number = number
        self.token: str = made["token"]
        self.login_url: str = made["login_url"]
        self.code = ""

    async def post(
        self, path: str, body: dict[str, Any] | None = None, key: str | None = None
    ) -> httpx.Response:
        path = f"/numbers/{self.number}/{path}"
        return await self.operator.call(self.server, "POST", path, key or self.token, body)

    async def begin(self, method: str) -> Any:
        response = await self.post("login", {"method": method})
        assert response.status_code == 202, response.text
        return response.json()

    async def enter(self, **entry: str) -> httpx.Response:
        (kind,) = entry
        return await self.post(f"login/{kind}", entry)

    async def scan(self, url: str, phone: str | None = None) -> None:
        await self.operator._control("POST", "/telegram/qr", phone=phone or self.number, url=url)

    async def fail(self, error: str, method: str) -> None:
        """Have Telegram answer once with an error."""
        await self.trouble(error=error, method=method, times=1)

    async def trouble(self, **order: Any) -> None:
        response = await self.operator._http.post(
            f"{self.operator._sandbox_url}/telegram/faults", json=order
        )
        response.raise_for_status()

    async def show(self) -> Any:
        return (await self.operator.show(self.server, self.number, self.token)).json()

    async def until(self, state: str) -> None:
        async def is_reached() -> bool:
            return bool((await self.show())["state"] == state)

        await eventually(is_reached, awaited=state)

    async def until_error(self, code: str) -> None:
        async def is_told() -> bool:
            error = (await self.show())["last_error"]
            return bool(error and error["code"] == code)

        await eventually(is_told, awaited=code)


async def new_phone(operator: Operator, server: Server, number: str, **account: Any) -> Phone:
    order = {"phone": number, "first_name": "Olena", **account}
    opened = await operator._control("POST", "/telegram/accounts", **order)
    started = await operator.start(server, number)
    assert started.json()["state"] == "needs_login", started.text
    phone = Phone(operator, server, number, started.json())
    phone.code = opened["code"]
    return phone
