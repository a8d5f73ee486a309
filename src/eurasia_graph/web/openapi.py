"""Describe the HTTP interface as an OpenAPI document, generated from the canned queries."""

from __future__ import annotations

import json
import re
from typing import Any

from flask import Blueprint, Response

from eurasia_graph import description, queries
from eurasia_graph.formats import FORMATS
from eurasia_graph.queries import CannedQuery, Parameter
from eurasia_graph.web import problems, protocol
from eurasia_graph.web.context import the_service
from eurasia_graph.web.responses import cached

blueprint = Blueprint("openapi", __name__)

PATTERNS: dict[str, dict[str, object]] = {
    "xsd:date": {"type": "string", "pattern": r"^\d{4}(-\d{2}(-\d{2})?)?$", "examples": ["1993", "1993-06-30"]},
    "xsd:integer": {"type": "integer"},
    "xsd:boolean": {"type": "boolean"},
}


@blueprint.route("/openapi.json")
def openapi() -> Response:
    """Describe the canned queries and the endpoint as OpenAPI."""
    service = the_service()
    paths: dict[str, Any] = {"/sparql": _sparql()}
    for canned in queries.load().values():
        operation = {
            "operationId": re.sub(r"-(\w)", lambda match: match.group(1).upper(), canned.name),
            "summary": canned.summary,
            "description": _description(canned),
            "tags": [canned.group],
            **({"x-at-least-one-of": list(canned.needs)} if canned.needs else {}),
            "parameters": [*(_parameter(each) for each in canned.parameters)],
            "responses": _responses(canned.columns),
        }
        for extension in ("json", "csv", "tsv", "xml"):
            named = {**operation, "operationId": f"{operation['operationId']}{extension.capitalize()}"}
            paths[f"/queries/{canned.name}.{extension}"] = {"get": named}
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": description.TITLE,
            "version": service.version,
            "license": {"name": description.LICENCE_NAME, "identifier": description.LICENCE_ID},
        },
        "servers": [{"url": service.base_url.rstrip("/") if service.base_url else "/"}],
        "paths": paths,
        "components": {"schemas": {"Problem": PROBLEM}},
    }
    return cached(Response(json.dumps(document, ensure_ascii=False), content_type="application/json"))


PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
    },
}


def _description(canned: CannedQuery) -> str:
    """Describe the columns, and which of the parameters are needed."""
    needs = f"At least one of {canned.wants} is needed. " if canned.needs else ""
    return f"{needs}Columns: {canned.answer}."


def _parameter(parameter: Parameter) -> dict[str, object]:
    schema: dict[str, object] = dict(PATTERNS.get(parameter.type, {"type": "string"}))
    if parameter.allowed and parameter.type not in PATTERNS:
        schema["enum"] = list(parameter.allowed)
    if parameter.default is not None:
        schema["default"] = {"true": True, "false": False}.get(parameter.default, parameter.default)
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.description,
        "schema": schema,
    }


def _responses(columns: tuple[str, ...]) -> dict[str, object]:
    row = {"type": "object", "properties": {column: {} for column in columns}}
    rows = {"application/json": {"schema": {"type": "array", "items": row}}, "text/csv": {"schema": {"type": "string"}}}
    return {"200": {"description": "The rows.", "content": rows}, "default": _problem()}


def _sparql() -> dict[str, object]:
    """Describe the endpoint: the query in the URL, in a form, or as the body itself."""
    fields: dict[str, dict[str, object]] = {
        "query": {"type": "string", "description": "SELECT, ASK, CONSTRUCT or DESCRIBE"},
        "default-graph-uri": {**IRIS, "description": "graphs whose merge is the default graph of the query"},
        "named-graph-uri": {**IRIS, "description": "named graphs of the query"},
        "timeout": {"type": "number", "exclusiveMinimum": 0, "description": "the longest time to wait, in seconds"},
        "format": {"type": "string", "enum": [*FORMATS], "description": "takes precedence over the Accept header"},
    }
    others = {name: schema for name, schema in fields.items() if name != "query"}
    form = {"schema": {"type": "object", "required": ["query"], "properties": fields}}
    text = {"schema": {"type": "string"}}
    return {
        "get": _asking("sparql", fields),
        "post": {
            **_asking("sparqlPost", others),
            "requestBody": {"required": True, "content": {protocol.FORM: form, protocol.QUERY: text}},
        },
    }


IRIS: dict[str, object] = {"type": "array", "items": {"type": "string", "format": "uri-reference"}}


def _asking(name: str, fields: dict[str, dict[str, object]]) -> dict[str, object]:
    answer: dict[str, object] = {each.media_type: {} for each in FORMATS.values()}
    return {
        "operationId": name,
        "summary": "A free-form SPARQL query",
        "parameters": [
            {
                "name": field,
                "in": "query",
                "required": field == "query",
                "description": schema["description"],
                "schema": {key: value for key, value in schema.items() if key != "description"},
            }
            for field, schema in fields.items()
        ],
        "responses": {"200": {"description": "The answer.", "content": answer}, "default": _problem()},
    }


def _problem() -> dict[str, object]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": "What went wrong, and what to do.", "content": {problems.MEDIA_TYPE: {"schema": schema}}}
