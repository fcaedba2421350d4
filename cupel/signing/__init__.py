"""Signatures that anybody can check offline: keys, whom a verifier trusts, envelopes, and what was signed."""
