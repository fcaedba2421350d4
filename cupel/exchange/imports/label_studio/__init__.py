"""Label Studio's exports: tasks as JSON, annotations with their task, messages of webhooks, JSON_MIN, CSV and TSV."""
