"""What everything agrees on: columns, tables, stages, and what decides a value."""
