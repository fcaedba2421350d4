"""One function a table: read, one call of `cupel`, write; a file a stage."""
