"""Signatures that anybody can check offline: keys, the trust file, envelopes and statements."""
