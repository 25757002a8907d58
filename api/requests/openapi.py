"""The description of the API, generated from the code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import Field, TypeAdapter
from quart_schema import (
    APIKeySecurityScheme,
    HttpSecurityScheme,
    Info,
    OpenAPIProvider,
    QuartSchema,
    security_scheme,
)

from api.requests.body import Answer
from api.requests.glossary import describe_fields
from teamflame.web.admission import Body as JsonBody
from teamflame.web.openapi import SCHEMES as MINI_APP_SCHEMES

if TYPE_CHECKING:
    from collections.abc import Callable

    from quart import Quart
    from quart_schema.extension import SecuritySchemeInput
    from quart_schema.validation import DataSource
    from werkzeug.routing import Rule

Handler = TypeVar("Handler", bound="Callable[..., Any]")
Security = list[dict[str, list[str]]]

ADMIN: Security = [{"adminKey": []}]
TOKEN: Security = [{"token": []}, {"bearerToken": []}]
ADMIN_OR_TOKEN = ADMIN + TOKEN
_SCHEMES: dict[str, SecuritySchemeInput] = {
    "adminKey": HttpSecurityScheme(scheme="bearer"),
    "bearerToken": HttpSecurityScheme(scheme="bearer"),
    "token": APIKeySecurityScheme(name="Token", in_="header"),
    "miniApp": APIKeySecurityScheme(name="Authorization", in_="header"),
    "miniAppToken": HttpSecurityScheme(scheme="bearer"),
}
_KEYS = {
    "adminKey": "the operator's ADMIN_KEY",
    "bearerToken": "the token of the number",
    "token": "the token of the number",
    **MINI_APP_SCHEMES,
}


class ErrorAnswer(Answer):
    """What went wrong."""

    error: str = Field(examples=["invalid_request"])
    detail: str | list[dict[str, str]]


_MEDIA_TYPE = "_media_type"
_FORM = "application/x-www-form-urlencoded"
_ERROR = {
    "description": "What went wrong.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}},
}


class Description(OpenAPIProvider):
    """Adds what all calls share: the error body, and forms as an alternative to JSON."""

    _made: dict[str, Any] | None = None

    def schema(self) -> dict[str, Any]:
        """Return the description, which is made once: anybody may ask for it, and it takes long."""
        self._made = self._made or self._make()
        return self._made

    def _make(self) -> dict[str, Any]:
        schema = super().schema()
        schema["components"]["schemas"]["ErrorAnswer"] = TypeAdapter(ErrorAnswer).json_schema()
        for name, scheme in schema["components"]["securitySchemes"].items():
            scheme["description"] = _KEYS[name]
        describe_fields(schema)
        return schema

    def build_paths(self, rule: Rule) -> tuple[dict[str, Any], dict[str, Any]]:
        paths, components = super().build_paths(rule)
        for operation in (found for path in paths.values() for found in path.values()):
            known = {str(status): answer for status, answer in operation["responses"].items()}
            operation["responses"] = {**known, **self._plain(rule), "default": _ERROR}
        return paths, components

    def _plain(self, rule: Rule) -> dict[str, Any]:
        media_type = getattr(self._app.view_functions[rule.endpoint], _MEDIA_TYPE, None)
        if media_type is None:
            return {}
        schema = {"schema": {"type": "string"}}
        return {
            "200": {
                "description": "The content in this media type.",
                "content": {media_type: schema},
            }
        }

    def build_request_body(
        self, model: type[Any], source: DataSource
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        body, components = super().build_request_body(model, source)
        if issubclass(model, JsonBody):
            return {**body, "required": True}, components
        (content,) = body["content"].values()
        return {
            "required": True,
            "content": {"application/json": content, _FORM: content},
        }, components


def needs(security: Security) -> Callable[[Handler], Handler]:
    return security_scheme(security)


def gives(media_type: str) -> Callable[[Handler], Handler]:
    """Describe an answer that is not JSON."""

    def mark(handler: Handler) -> Handler:
        setattr(handler, _MEDIA_TYPE, media_type)
        return handler

    return mark


def describe_api(app: Quart) -> None:
    make_response = app.make_response
    QuartSchema(
        app,
        info=Info(
            title="Telefix",
            version="0.1.0",
            description="A gateway between Telegram numbers and Planfix.",
        ),
        # The pages of quart-schema load scripts from the internet; our own page is at /docs.
        swagger_ui_path=None,
        redoc_ui_path=None,
        scalar_ui_path=None,
        security_schemes=_SCHEMES,
        openapi_provider_class=Description,
    )
    # It would look in each answer for models to write out, but ours are responses already.
    app.make_response = make_response  # type: ignore[method-assign]
