"""Ports of EXPOSE: single ones, ranges, and protocols."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from layersim.build.dockerfile.golang import go_quote
from layersim.errors import DockerfileError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layersim.build.dockerfile.dialect import Dialect

_PROTOCOLS = ("tcp", "udp", "sctp")
_HIGHEST = 65_535
_DIGITS = re.compile(r"[0-9]+")
_SIGNED = re.compile(r"[+-]?[0-9]+")
_HOST_AND_PORT = 2


def read_ports(words: Iterable[str], dialect: Dialect) -> list[str]:
    """Return the ports that the words of EXPOSE name, each as ``80/tcp``, in their order.

    Parameters
    ----------
    words : iterable of str
        With their variables replaced. What is said of the host, as in ``8080:80``, is checked and dropped.
    dialect : Dialect
        Whose words errors have.

    Returns
    -------
    list of str
        A range gives all of its ports.

    Raises
    ------
    DockerfileError
        One is no port.

    Examples
    --------
    >>> from layersim.build.dockerfile import BUILDKIT29, read_ports
    >>> read_ports(["443", "80-81/udp"], BUILDKIT29)
    ['443/tcp', '80/udp', '81/udp']
    """
    return [port for word in words for port in _ports(word, _Words(dialect))]


class _Words:
    """How a builder complains of ports."""

    def __init__(self, dialect: Dialect) -> None:
        self.is_new = not dialect.is_old and dialect.builder == "buildkit"
        self.number = _SIGNED if self.is_new else _DIGITS

    def fault(self, message: str, word: str) -> DockerfileError:
        """Return an error; older builders begin with a capital."""
        return DockerfileError(message if self.is_new else message[:1].upper() + message[1:], text=word)


def _ports(word: str, words: _Words) -> list[str]:
    *host, container = word.split(":")
    port, _, protocol = container.partition("/")
    if words.is_new:
        _check_protocol(port, protocol, word, words)
    _check_address(":".join(host[:-1]) if len(host) >= _HOST_AND_PORT else "", words, word)
    if not port:
        raise words.fault(f"no port specified: {word}<empty>", word)
    first, last = _range(port, "containerPort", words, word)
    if host and host[-1]:
        _check_host(host[-1], port, last - first, words, word)
    if not words.is_new:
        _check_protocol(port, protocol, word, words)
    return [f"{number}/{protocol.lower() or 'tcp'}" for number in range(first, last + 1)]


def _check_protocol(port: str, protocol: str, word: str, words: _Words) -> None:
    before = f"invalid port: {go_quote(word)}: " if words.is_new else ""
    if words.is_new and not port:
        raise words.fault(f"{before}no port specified", word)
    if protocol and protocol.lower() not in _PROTOCOLS:
        raise words.fault(f"{before}invalid proto: {protocol}", word)


def _check_address(address: str, words: _Words, word: str) -> None:
    if not address:
        return
    try:
        ipaddress.ip_address(address.removeprefix("[").removesuffix("]"))
    except ValueError as error:
        kind = "IP" if words.is_new else "ip"
        raise words.fault(f"invalid {kind} address: {address}", word) from error


def _check_host(host: str, port: str, length: int, words: _Words, word: str) -> None:
    first, last = _range(host, "hostPort", words, word)
    if last - first != length and length:
        raise words.fault(f"invalid ranges specified for container and host Ports: {port} and {host}", word)


def _range(text: str, kind: str, words: _Words, word: str) -> tuple[int, int]:
    """Return the first and the last port of a range."""
    first, dash, last = text.partition("-")
    if dash and not words.is_new:
        last = last.partition("-")[0]
    ends = first, last if dash else first
    if all(words.number.fullmatch(end) and len(end.lstrip("+-0")) <= len(str(_HIGHEST)) for end in ends):
        low, high = int(ends[0]), int(ends[1])
        if 0 <= low <= high <= _HIGHEST:
            return low, high
    raise words.fault(f"invalid {kind}: {text}", word)
