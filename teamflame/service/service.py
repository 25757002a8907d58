"""The TeamFlame service, a class for each concern: people, spaces, projects, boards and columns are here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from teamflame.errors import Forbidden, NotFound, Rejected
from teamflame.service import parser
from teamflame.service.auth import Auth
from teamflame.service.client import ServiceClient, ServiceConfig
from teamflame.service.endpoints import Call
from teamflame.service.tasks import Comments, Tasks

if TYPE_CHECKING:
    from teamflame.service.values import Board, Column, Person, Project, Space


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
            # The address of this call is a guess; those of a space and of a user are known.
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


_COLOR = "#64748B"


class Boards:
    """The boards of a project."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def list(self, token: str, project: str) -> tuple[Board, ...]:
        answer = await self._client.call(Call.BOARDS, project, token=token)
        return parser.read_list(answer, parser.board)

    async def get(self, token: str, board: str) -> Board:
        answer = await self._client.call(Call.BOARD, board, token=token)
        return parser.read_one(answer, parser.board)

    async def create(self, token: str, name: str, project: str, space: str) -> Board:
        fields = {
            "name": name,
            "logo": "",
            "color": _COLOR,
            "projectId": project,
            "spaceId": space,
            "location": space,
        }
        answer = await self._client.call(Call.CREATE_BOARD, token=token, fields=fields)
        return parser.read_one(answer, parser.board)


class Columns:
    """The columns of a board, which are the states of its tasks."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def list(self, token: str, board: str) -> tuple[Column, ...]:
        """List the columns with all their tasks, in one call."""
        answer = await self._client.call(Call.COLUMNS, board, token=token)
        columns = await parser.read_long_list(answer, parser.column)
        return tuple(each.on(board) for each in columns)

    async def create(self, token: str, name: str, board: Board) -> Column:
        fields = {
            "name": name,
            "boardId": board.id,
            "color": _COLOR,
            "location": board.space_id,
            "projectId": board.project_id,
            "spaceId": board.space_id,
        }
        answer = await self._client.call(Call.CREATE_COLUMN, token=token, fields=fields)
        return parser.read_one(answer, parser.column)


class Service:
    """Everything that TeamFlame can be asked for with an access token."""

    def __init__(self, config: ServiceConfig) -> None:
        self._client = ServiceClient(config)
        self.auth = Auth(self._client)
        self.users = Users(self._client)
        self.spaces = Spaces(self._client)
        self.projects = Projects(self._client)
        self.boards = Boards(self._client)
        self.columns = Columns(self._client)
        self.tasks = Tasks(self._client)
        self.comments = Comments(self._client)

    async def close(self) -> None:
        await self._client.close()
