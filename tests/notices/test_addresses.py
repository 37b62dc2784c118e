"""A webhook leaves for public addresses only, however the address is spelt."""

from __future__ import annotations

import contextlib

import pytest

from tokenboard.notices.addresses import AddressRefused, destination

PUBLIC = "93.184.215.14"

# Spellings of this machine and of private networks (reference "Security", 3.1; measured on Python 3.11.7).
PRIVATE_LITERALS = [
    "https://127.0.0.1/",
    "https://127.1/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://2130706433/",
    "https://0177.0.0.1/",
    "https://127.0.0.1./",
    "https://0/",
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://192.0.2.1/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://239.255.255.250/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[64:ff9b:1::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2002:c0a8:101::1]/",
    "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "https://[fe80::1]/",
    "https://[fc00::1]/",
    "https://[fd12:3456::1]/",
    "https://[ff02::1]/",
    "https://[2001:db8::1]/",
    "https://[2a00:1450::5efe:7f00:1]/",
]
MALFORMED = [
    "",
    "example.com",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "javascript:alert(1)",
    "https:///x",
    "https://",
    "https:example.com",
    "https:\\\\example.com/",
    "https://user@example.com/",
    "https://user:pass@example.com/",
    "https://good.example\\@127.0.0.1/",
    "https://good.example#@127.0.0.1/",
    "https://127.0.0.1:80@good.example/",
    "https://example.com/#part",
    "https://example.com:0/",
    "https://example.com:99999/",
    "https://example.com:٨٠/",
    "https://example.com:443:443/",
    "https://exam ple.com/",
    "https://example.com/a b",
    "https://example.com/\r\nX-Injected: 1",
    "https://example.com/\x00",
    "https://exämple.com/",
    "https://①②⑦.⓪.⓪.①/",
    "https://example..com/",
    "https://-example.com/",
    "https://[::1%25eth0]/",
    "https://[::1/",
    "https://[example.com]/",
    "https://%31%32%37.0.0.1/",
    "https://1.2.3/",
    "https://1.2.3.4.5/",
    "https://999.1.1.1/",
    "https://example.com/" + "a" * 500,
]


def _resolves_to(*ip_addresses: str):
    return lambda _host, _port: list(ip_addresses)


@pytest.mark.parametrize("url", PRIVATE_LITERALS)
def test_no_spelling_of_a_private_address_gets_through(url: str):
    with pytest.raises(AddressRefused):
        destination(url, is_production=True)


@pytest.mark.parametrize("url", MALFORMED)
def test_what_is_not_plainly_an_address_is_refused_before_any_look_up(url: str):
    def never(_host: str, _port: int) -> list[str]:
        raise AssertionError("looked up")

    with pytest.raises(AddressRefused):
        destination(url, is_production=True, resolve=never)


@pytest.mark.parametrize(
    "inside",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "fe80::1%eth0",
        "224.0.0.1",
    ],
)
def test_a_name_that_leads_inside_is_refused_also_beside_a_public_address(inside: str):
    with pytest.raises(AddressRefused, match="private network"):
        destination("https://evil.example/", is_production=True, resolve=_resolves_to(PUBLIC, inside))


def test_a_name_nobody_knows_is_refused():
    with pytest.raises(AddressRefused, match="not known"):
        destination("https://nowhere.example/", is_production=True, resolve=_resolves_to())


@pytest.mark.parametrize("url", ["https://localhost/", "https://tokenboard.localhost/"])
def test_this_machines_own_names_are_refused_in_production(url: str):
    with pytest.raises(AddressRefused):
        destination(url, is_production=True)


def test_a_public_address_is_taken_apart_once():
    found = destination(
        "https://Hooks.Example.com:8443/a/b?c=d%20e", is_production=True, resolve=_resolves_to(PUBLIC, "2606:2800::1")
    )

    assert (found.host, found.port, found.path, found.is_tls) == ("hooks.example.com", 8443, "/a/b?c=d%20e", True)
    assert found.ip_addresses == (PUBLIC, "2606:2800::1")
    assert found.host_header == "hooks.example.com:8443"


def test_an_address_without_a_path_asks_for_the_root():
    found = destination("https://example.com", is_production=True, resolve=_resolves_to(PUBLIC))

    assert (found.path, found.port, found.host_header) == ("/", 443, "example.com")


def test_a_public_ip_address_may_be_named():
    assert destination("https://93.184.215.14/x", is_production=True).ip_addresses == (PUBLIC,)


@pytest.mark.parametrize(
    ("name", "is_listed"),
    [
        ("hooks.acme.dev", True),
        ("HOOKS.acme.dev", True),
        ("eu.example.com", True),
        ("a.b.example.com", True),
        ("example.com", False),
        ("evilexample.com", False),
        ("hooks.acme.dev.evil.example", False),
        ("93.184.215.14", False),
    ],
)
def test_with_the_operators_list_only_its_hosts_are_gone_to(name: str, is_listed: bool):
    looked_up: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        looked_up.append(host)
        return [PUBLIC]

    with contextlib.nullcontext() if is_listed else pytest.raises(AddressRefused, match="operator's list"):
        destination(f"https://{name}/x", is_production=True, hosts=("hooks.acme.dev", "*.example.com"), resolve=resolve)
    assert looked_up == ([name.lower()] if is_listed else [])


def test_plain_http_is_for_development():
    with pytest.raises(AddressRefused, match="https"):
        destination("http://example.com/", is_production=True, resolve=_resolves_to(PUBLIC))

    assert not destination("http://example.com/", is_production=False, resolve=_resolves_to(PUBLIC)).is_tls


def test_development_may_reach_this_machine_but_no_private_network():
    assert destination("http://127.0.0.1:8000/", is_production=False).ip_addresses == ("127.0.0.1",)
    for url in ("http://169.254.169.254/", "http://10.0.0.1/", "http://0.0.0.0/", "http://[::ffff:169.254.169.254]/"):
        with pytest.raises(AddressRefused):
            destination(url, is_production=False)
