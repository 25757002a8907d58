"""The seed's way to serve a webhook: an asynchronous Flask route, through asgiref, under uvicorn.

It stores nothing. It runs in the alternatives' environment as `uvicorn flask_webhook:application`.
"""

from __future__ import annotations

import asyncio

from asgiref.wsgi import WsgiToAsgi
from flask import Flask, request


async def receive() -> dict[str, str]:
    form = request.form.to_dict()
    await asyncio.sleep(0)  # here the seed would wait for Telethon
    return form


app = Flask("flask_webhook")
app.add_url_rule("/webhook/message", view_func=receive, methods=["POST"])
application = WsgiToAsgi(app)
