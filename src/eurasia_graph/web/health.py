"""For operators: liveness, readiness and metrics, and the OpenAPI description."""

from __future__ import annotations

import json

from flask import Blueprint, Response

from eurasia_graph.web.context import the_service

blueprint = Blueprint("operation", __name__)


@blueprint.route("/healthz")
def alive() -> Response:
    """Answer that the process is alive."""
    return _plain({"status": "alive"}, 200)


@blueprint.route("/readyz")
def ready() -> Response:
    """Answer whether queries can be answered: the dataset is loaded and a worker is available."""
    service = the_service()
    is_ready = service.pool.is_ready
    return _plain({"status": "ready" if is_ready else "starting", "release": service.version}, 200 if is_ready else 503)


@blueprint.route("/metrics")
def metrics() -> Response:
    """Write the counters in the text format of Prometheus."""
    text, media_type = the_service().metrics.text()
    response = Response(text, content_type=media_type)
    response.headers["Cache-Control"] = "no-store"
    return response


def _plain(content: dict[str, str], status: int) -> Response:
    response = Response(json.dumps(content), status=status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
