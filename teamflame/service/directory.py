"""Users, spaces and projects of TeamFlame."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from teamflame.errors import Forbidden, NotFound, Rejected
from teamflame.service import parser
from teamflame.service.endpoints import Call

if TYPE_CHECKING:
    from teamflame.service.client import ServiceClient
    from teamflame.service.values import Person, Project, Space

_MOST_PEOPLE = 100  # that are asked for one by one


class Users:
    """People, as far as the caller may see them."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def me(self, token: str) -> Person:
        return parser.read_one(await self._client.call(Call.ME, token=token), parser.person)

    async def of_space(self, token: str, space: str) -> tuple[Person, ...]:
        """List who may be assigned in a space."""
        try:
            answer = await self._client.call(Call.SPACE_PEOPLE, space, token=token)
        except (NotFound, Rejected):
            # The address of this call is not known for sure, that of the space and of a user is.
            return await self._one_by_one(token, space)
        return parser.read_list(answer, parser.person)

    async def _one_by_one(self, token: str, space: str) -> tuple[Person, ...]:
        answer = await self._client.call(Call.SPACE, space, token=token)
        ids = parser.read_one(answer, parser.space).people[:_MOST_PEOPLE]
        found = await asyncio.gather(*(self._find(token, key) for key in ids))
        return tuple(each for each in found if each is not None)

    async def _find(self, token: str, key: str) -> Person | None:
        try:
            answer = await self._client.call(Call.USER, key, token=token)
        except (NotFound, Forbidden):
            return None
        return parser.read_one(answer, parser.person)


class Spaces:
    """The spaces that the caller is in."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def list(self, token: str) -> tuple[Space, ...]:
        return parser.read_list(await self._client.call(Call.SPACES, token=token), parser.space)


class Projects:
    """The projects of a space."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def list(self, token: str, space: str) -> tuple[Project, ...]:
        answer = await self._client.call(Call.PROJECTS, space, token=token)
        return parser.read_list(answer, parser.project)

    async def get(self, token: str, project: str) -> Project:
        answer = await self._client.call(Call.PROJECT, project, token=token)
        return parser.read_one(answer, parser.project)
