"""Answers: the inbox (an append-only log), the outbox (tasks), and what answers come to."""
