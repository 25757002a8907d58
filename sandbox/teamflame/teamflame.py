"""All TeamFlame workspaces of the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.teamflame.errors import WorkspaceUnknown
from sandbox.teamflame.workspace import Workspace

if TYPE_CHECKING:
    from sandbox.teamflame.settings import WorkspaceSettings


class TeamFlame:
    """Makes workspaces, each at an address of its own."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self.workspaces: dict[str, Workspace] = {}

    def put(self, name: str, settings: WorkspaceSettings) -> Workspace:
        """Make a workspace; one that has this name already is replaced."""
        made = Workspace(name, f"{self._base_url}/teamflame/{name}", settings)
        self.workspaces[name] = made
        return made

    def workspace(self, name: str) -> Workspace:
        if name not in self.workspaces:
            raise WorkspaceUnknown(f"no TeamFlame workspace {name}")
        return self.workspaces[name]

    def reset(self) -> None:
        self.workspaces.clear()
