"""A text as a QR code."""

from __future__ import annotations

from io import BytesIO

import segno
from quart import Response


def draw_qr(text: str) -> Response:
    drawn = BytesIO()
    segno.make(text, error="m", micro=False).save(
        drawn, kind="svg", scale=8, border=2, light="#fff", svgclass=None, lineclass=None
    )
    return Response(drawn.getvalue(), content_type="image/svg+xml")
