"""What can be set for the HTTP service: `serving` in project.yaml, and the key in the environment."""

from pydantic import Field

from ..sections import Part


class Serving(Part):
    """Limits of the HTTP service."""

    require_api_key: bool = True
    maximum_records: int = Field(1000, ge=1)
    maximum_body_bytes: int = Field(1_000_000, ge=1000)


NAME = "serving"
SECTION = Serving
SECRETS = {"api_key": Field(None, min_length=16, repr=False)}
