"""The least that a form can cost a Quart application: one route that sends it back."""

from __future__ import annotations

from quart import Quart, request


def create_app() -> Quart:
    app = Quart("echo")

    @app.post("/webhook/message")
    async def echo() -> dict[str, str]:
        return (await request.form).to_dict()

    return app
