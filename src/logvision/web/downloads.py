"""The routes of downloads: events and incidents as files."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from logvision.casebook.base import every
from logvision.incident import Status
from logvision.lake import export, queries
from logvision.web.asking import Asked, cases
from logvision.web.models import FAULTS
from logvision.web.services import Ask

api = APIRouter(prefix="/api", responses=FAULTS)


@api.get("/export/{what}", operation_id="export", response_class=StreamingResponse)
def download(
    services: Ask,
    question: Asked,
    what: Literal["events", "incidents"],
    format: export.Format = export.Format.JSON,
    ecs: Annotated[bool, Query(description="field names of the Elastic Common Schema")] = False,
) -> StreamingResponse:
    """A download of events or incidents: JSON lines, CSV or Parquet."""
    if what == "events":
        chunks = export.events(queries.tables(services.database, question), format, ecs=ecs)
    else:
        wanted = cases(question, frozenset(Status))
        found = (case.to_dict() for case in every(services.casebook, wanted))
        chunks = export.incidents(found, format, ecs=ecs)
    name = f"logvision-{what}.{export.SUFFIX[format]}"
    return StreamingResponse(
        chunks,
        media_type=export.MEDIA_TYPE[format],
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )
