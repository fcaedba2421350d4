"""Cupel as it was before its chooser, its rounds and its rise changed: frozen, the peer that a gain is measured by.

Nothing here is to be improved. It rests on the library's consensus methods and on the checker of texts alone, which
stayed.
"""
