"""IP addresses, where the project asks for them."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupel.modalities.text.privacy.ip_addresses import ip_addresses
from cupel.modalities.text.privacy.mask import mask


@given(st.ip_addresses())
def test_every_address_is_found_as_python_writes_it(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    is_named = any(sign.isdigit() for sign in str(address))  # without a digit it is read as two words
    found = [one.value for one in ip_addresses(f"from {address}, port 80")]
    assert found == ([str(address)] if is_named else [])


@pytest.mark.parametrize(
    "text",
    ["version 3.11.4.1", "v1.2.3.4", "1.2.3", "1.2.3.4.5", "300.1.1.1", "at 10:30:45", "std::dec", "a:b:c", "1:2"],
)
def test_versions_times_and_names_are_none(text: str) -> None:
    assert ip_addresses(text) == []


def test_they_stay_unless_they_are_asked_for() -> None:
    text = "from 198.51.100.7 and 2001:db8::9"
    assert mask(text).text == text
    assert mask(text, ips=True)[0] == "from <IP> and <IP>"
    assert mask(text, ips=True).ips == 2
