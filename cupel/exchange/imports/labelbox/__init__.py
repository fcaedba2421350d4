"""Labelbox's exports: version 2 as NDJSON, version 1 as JSON or CSV."""
