"""IP addresses in a text, of version 4 and 6; looked for where the project asks for it."""

import ipaddress
import re

from cupel.modalities.text.privacy.tokens import Found

# What an address may be made of; which of these are one, Python's ipaddress says.
_CANDIDATE = re.compile(
    r"(?<![\w.:])(?:(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w]|\.[0-9])"
    r"|(?=[0-9A-Fa-f:.]*[0-9])[0-9A-Fa-f]{0,4}:(?:[0-9A-Fa-f]{0,4}:){1,7}"
    r"(?:(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9A-Fa-f]{1,4})?(?![\w:]|\.[0-9]))"
)
# Four small numbers are the version of a program too: behind this word, or its letter, they are that.
_VERSION = re.compile(r"(?i)\b(?:version|ver|release|build|firmware|v)\.? ?\Z")
_BEFORE = 12


def ip_addresses(text: str) -> list[Found]:
    """Return the IP addresses of a text, in order; of one however it is written the same value.

    Args:
        text: Normalised text in plain form, see `separators.plain_form`.

    >>> [one.value for one in ip_addresses("192.0.2.1, 2001:DB8:0::1, version 10.15.7.2, 10.15.7.2024, at 10:30:45")]
    ['192.0.2.1', '2001:db8::1']
    """
    found = []
    for candidate in _CANDIDATE.finditer(text):
        try:
            address = ipaddress.ip_address(candidate[0])
        except ValueError:
            continue
        start = candidate.start()
        if address.version == 4 and _VERSION.search(text, max(0, start - _BEFORE), start):
            continue
        found.append(Found(start, candidate.end(), str(address)))
    return found
