"""The HTTP interface for national systems: `/api/v1`, described by `/api/openapi.json`."""
