"""The description of the API as a page that needs no internet."""

from __future__ import annotations

from quart import Blueprint, current_app, render_template
from quart_schema import hide

blueprint = Blueprint("pages", __name__)


@blueprint.get("/docs")
@hide
async def get_docs() -> str:
    provider = current_app.extensions["QUART_SCHEMA"].openapi_provider
    return await render_template("docs.html", api=provider.schema())
