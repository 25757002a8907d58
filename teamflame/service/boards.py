"""Boards and columns of TeamFlame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from teamflame.service import parser
from teamflame.service.endpoints import Call

if TYPE_CHECKING:
    from teamflame.service.client import ServiceClient
    from teamflame.service.values import Board, Column

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
        return parser.read_list(answer, parser.column)

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
