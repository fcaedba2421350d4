"""What everything agrees on: columns, tables, stages, and numbers for items."""
