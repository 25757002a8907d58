"""Numbers are logged in over HTTP, by the API as well as on the client's page."""

from __future__ import annotations
