"""What schemathesis can't read from the API's description; schemathesis.toml has the settings."""

from __future__ import annotations

import itertools
import json
from typing import Any

import schemathesis
from schemathesis import Case, GenerationMode, HookContext
from schemathesis.core.deserialization import DeserializationContext
from schemathesis.core.transport import Response
from schemathesis.transport import SerializationContext

NDJSON = "application/x-ndjson"
REPEAT_KEY = "Idempotency-Key"

#: What stays: the run's own session, which is the first one of `alice`, and a channel with its
#: account, for tokens.
KEPT = {
    "/api/v1/sessions/{id}": {"id": "1"},
    "/api/v1/users/{name}": {"name": "alice"},
    "/api/v1/users/{name}/password": {"name": "alice"},
    "/api/v1/channels/{channel}": {"channel": "demo"},
    "/api/v1/service-accounts/{name}": {"name": "service-account-channel-demo"},
}

keys = (f"key-{number}" for number in itertools.count())


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:
    """Makes bodies of lines lists: OpenAPI 3.1 can only describe one line of them."""
    for item in raw_schema["paths"].values():
        for operation in item.values():
            for body in (operation.get("requestBody", {}), *operation["responses"].values()):
                if lines := body.get("content", {}).get(NDJSON):
                    lines["schema"] = {"type": "array", "items": lines["schema"]}


@schemathesis.serializer(NDJSON)
def write_lines(context: SerializationContext, value: Any) -> bytes:  # noqa: ANN401
    """Writes an item a line, and what is no list, as tests of bad input have it, on one."""
    lines = value if isinstance(value, list) else [value]
    return "\n".join(json.dumps(line) for line in lines).encode()


@schemathesis.deserializer(NDJSON)
def read_lines(context: DeserializationContext, response: Response) -> list[Any]:
    """Reads an item from each line."""
    return [json.loads(line) for line in response.content.splitlines()]


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Leaves alone what the run needs, and makes right requests right beyond OpenAPI's words."""
    for parameter, kept in KEPT.get(case.operation.path, {}).items():
        if case.method != "GET" and str(case.path_parameters.get(parameter)) == kept:
            case.path_parameters[parameter] = "0"
    if case.meta and case.meta.generation.mode == GenerationMode.POSITIVE:
        if REPEAT_KEY in case.headers:
            case.headers[REPEAT_KEY] = next(keys)
        for body in case.body if isinstance(case.body, list) else [case.body]:
            make_possible(body)


def make_possible(body: Any) -> None:  # noqa: ANN401
    """Gives a token's fields values that can be had together; what is left out stays so."""
    if not isinstance(body, dict):
        return
    if "channels" in body:
        body["channels"] = ["demo"]
        body.setdefault("expires_in", "90d")
    if "expires_in" in body:
        body["expires_in"] = "90d"
        body.pop("expires_at", None)
    if "value" in body:
        body.pop("user", None)
        body["service_account"] = "service-account-channel-demo"
