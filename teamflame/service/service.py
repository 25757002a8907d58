"""The TeamFlame service, a class for each concern."""

from __future__ import annotations

from teamflame.service.auth import Auth
from teamflame.service.boards import Boards, Columns
from teamflame.service.client import ServiceClient, ServiceConfig
from teamflame.service.directory import Projects, Spaces, Users
from teamflame.service.tasks import Comments, Tasks


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
