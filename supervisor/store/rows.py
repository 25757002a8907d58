"""The row of a number within a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import case, delete, exists, select, update

from supervisor import models
from supervisor.errors import NumberUnknown
from supervisor.models import Login, Wanted
from supervisor.store import tables
from supervisor.store.upsert import insert_missing
from supervisor.store.values import LastError, Number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection

_number = tables.number.c
_client = tables.client.c
QUERY: Final = select(tables.number, _client.name).join(tables.client)

NO_ERROR: Final[Mapping[str, Any]] = dict.fromkeys(("error_code", "error_message", "error_action"))
AS_NEW: Final[Mapping[str, Any]] = {
    "wanted": Wanted.RUNNING,
    "login": case((_number.login == Login.BANNED, Login.NEEDED), else_=_number.login),
    "parked": None,
    "restarts": 0,
    **NO_ERROR,
}


async def find(connection: AsyncConnection, where: ColumnElement[bool]) -> Any:
    return (await connection.execute(QUERY.where(where))).first()


async def require(connection: AsyncConnection, number: str) -> Any:
    row = await find(connection, _number.digits == number)
    if row is None:
        raise NumberUnknown
    return row


async def read(connection: AsyncConnection, number: str) -> Number:
    return as_value(await require(connection, number))


async def change(connection: AsyncConnection, number: str, **values: Any) -> None:
    statement = (
        update(tables.number).where(_number.digits == number).values(changed=models.now(), **values)
    )
    await connection.execute(statement)


async def client_id(connection: AsyncConnection, name: str) -> int:
    await insert_missing(connection, tables.client, {"name": name})
    query = select(_client.id).where(_client.name == name)
    return int((await connection.execute(query)).scalar_one())


async def drop_empty_clients(connection: AsyncConnection) -> None:
    used = exists().where(_number.client_id == _client.id)
    await connection.execute(delete(tables.client).where(~used))


def as_value(row: Any) -> Number:
    return Number(
        number=row.digits,
        client=row.name,
        url_planfix=row.url_planfix,
        provider_id=row.provider_id,
        user_email=row.user_email,
        proxy_place=row.proxy_place,
        wanted=Wanted(row.wanted),
        login=Login(row.login),
        parked=row.parked,
        last_error=_last_error(row),
        restarts=row.restarts,
        epoch=row.epoch,
        created=row.created,
        changed=row.changed,
    )


def error_values(error: LastError | None) -> Mapping[str, Any]:
    if error is None:
        return NO_ERROR
    return {
        "error_code": error.code,
        "error_message": error.message,
        "error_action": error.action,
    }


def _last_error(row: Any) -> LastError | None:
    if row.error_code is None:
        return None
    return LastError(row.error_code, row.error_message, row.error_action)
