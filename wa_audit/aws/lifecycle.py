"""S3 lifecycle rules: what a rule applies to, and what it does.

Shapes are those of GetBucketLifecycleConfiguration; a bucket without one has no rules, or None.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

Rule = Mapping[str, Any]


class Scope(NamedTuple):
    """Which objects a rule applies to: those under `prefix`, narrowed by tags or by size where so marked."""

    prefix: str
    tags: bool = False
    sizes: bool = False

    @property
    def whole(self) -> bool:
        """Every object of the bucket."""
        return not (self.prefix or self.tags or self.sizes)

    def __str__(self) -> str:
        parts = [f"prefix {self.prefix}"] if self.prefix else []
        parts += ["tags"] if self.tags else []
        parts += ["object size"] if self.sizes else []
        return " and ".join(parts) or "the whole bucket"


def scope(rule: Rule) -> Scope:
    """The rule's filter, in today's form or in the one before 2018, a Prefix of its own."""
    filter_ = rule.get("Filter") or {}
    both = filter_.get("And") or filter_
    return Scope(
        prefix=both.get("Prefix") or rule.get("Prefix") or "",
        tags=bool(both.get("Tag") or both.get("Tags")),
        sizes="ObjectSizeGreaterThan" in both or "ObjectSizeLessThan" in both,
    )


def enabled(rules: Iterable[Rule] | None) -> Iterator[Rule]:
    """The rules that are in force."""
    return (rule for rule in rules or () if rule.get("Status") == "Enabled")


def applies_to_all(rule: Rule) -> bool:
    """Whether the rule applies to every object of the bucket."""
    return scope(rule).whole


def covers(rule: Rule, prefix: str) -> bool:
    """Whether the rule applies to every object under a prefix."""
    where = scope(rule)
    return not where.tags and not where.sizes and prefix.startswith(where.prefix)


def expiration_days(rule: Rule) -> int | None:
    """Days after which current objects expire. Removing lone delete markers is not expiry; nor is a date."""
    return _days(rule, "Expiration", "Days")


def noncurrent_days(rule: Rule) -> int | None:
    """Days after which an object version that is no longer current is removed."""
    return _days(rule, "NoncurrentVersionExpiration", "NoncurrentDays")


def abort_days(rule: Rule) -> int | None:
    """Days after which the parts of an unfinished multipart upload are removed."""
    return _days(rule, "AbortIncompleteMultipartUpload", "DaysAfterInitiation")


def _days(rule: Rule, action: str, field: str) -> int | None:
    days = (rule.get(action) or {}).get(field)
    return int(days) if days else None


def actions(rule: Rule) -> list[str]:
    """What the rule does to the data: expiry, transitions, and the same for noncurrent versions.

    Aborting uploads and removing lone delete markers leave all data where it is, and are not among them.
    """
    expiration = rule.get("Expiration") or {}
    found = ["Expiration"] if expiration.get("Days") or expiration.get("Date") else []
    later = ("Transitions", "NoncurrentVersionExpiration", "NoncurrentVersionTransitions")
    return found + [name for name in later if rule.get(name)]


def transitions(rules: Iterable[Rule] | None) -> list[dict[str, Any]]:
    """The moves of current objects to another storage class, by the rules that are in force."""
    return [move for rule in enabled(rules) for move in rule.get("Transitions") or ()]


def longest_life(rules: Iterable[Rule] | None) -> int | None:
    """Days after which every current object has expired, because of whole-bucket rules; None without one."""
    return shortest(rules, "")


def shortest(rules: Iterable[Rule] | None, prefix: str) -> int | None:
    """Days after which every current object under a prefix has expired; None where no rule sees to all."""
    days = [expiration_days(rule) for rule in enabled(rules) if covers(rule, prefix)]
    return min((found for found in days if found is not None), default=None)
