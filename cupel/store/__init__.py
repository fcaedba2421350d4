"""The store: the only code that knows where bytes lie. What it promises, `store` says; the laws are in its tests."""
