"""What the rules of an EC2 security group let in.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

ANYWHERE = ("0.0.0.0/0", "::/0")


class Ports(NamedTuple):
    """TCP ports from the first to the last."""

    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


def ports(texts: Iterable[int | str]) -> list[Ports]:
    """Ports as people write them: `22` or `9092-9098`."""
    pairs = [str(text).partition("-") for text in texts]
    return [Ports(int(first), int(last or first)) for first, _, last in pairs]


def covers(rule: Mapping[str, Any], wanted: Ports) -> bool:
    """Whether a rule speaks of any of these TCP ports. Protocol -1 is every protocol and every port."""
    match str(rule.get("IpProtocol")):
        case "-1":
            return True
        case "tcp" | "6":
            first, last = int(rule.get("FromPort", 0)), int(rule.get("ToPort", 65_535))
            return first <= wanted.last and wanted.first <= last
    return False


def sources(rule: Mapping[str, Any]) -> list[str]:
    """The address ranges that a rule lets in."""
    found = [row.get("CidrIp") for row in rule.get("IpRanges") or ()]
    found += [row.get("CidrIpv6") for row in rule.get("Ipv6Ranges") or ()]
    return [str(source) for source in found if source]


def opens(rule: Mapping[str, Any], wanted: Ports) -> bool:
    """Whether a rule lets the whole internet in on any of these ports."""
    return covers(rule, wanted) and any(source in ANYWHERE for source in sources(rule))
