"""Data is encrypted on its way."""

from __future__ import annotations

from wa_audit.rule import Resource, Verdict, buckets, check, failed, not_applicable, passed, policy


@check("AWS::S3::Bucket")
def s3_bucket_tls_only(bucket: Resource) -> Verdict:
    """A bucket's policy refuses requests without TLS.

    Passes where a Deny for everyone, of all S3 actions ("s3:*" or "*"), on the bucket and on its objects,
    has aws:SecureTransport false or s3:TlsVersion less than 1.2 or more as its one condition. Two such
    statements may share bucket and objects. A Deny of the one alone is named as partial; a Deny with a
    further condition, or for some callers or actions, refuses too little, and an Allow with SecureTransport
    true refuses nothing. Whatever else the policy says does not matter. No policy fails. Directory and
    table buckets speak HTTPS alone and are not judged.
    """
    if not buckets.is_general_purpose(bucket.name):
        return not_applicable("is a bucket of a kind that speaks HTTPS alone")

    statements = policy.parse(bucket["Policy"])
    denies = [s for s in statements if _refuses_plain_http(s) and s.action("s3:?*")]
    on_bucket = any(deny.resource(bucket.arn) for deny in denies)
    on_objects = any(deny.resource(f"{bucket.arn}/*") for deny in denies)
    if on_bucket and on_objects:
        return passed("refuses requests without TLS", Statement=denies[0].label)
    if on_bucket or on_objects:
        part = "its objects and not on the bucket" if on_objects else "the bucket and not on its objects"
        return failed(
            f"refuses requests without TLS on {part}",
            Statement=denies[0].label,
            Resource=list(denies[0].resources),
        )
    if bucket["Policy"] is None:
        return failed("has no policy that refuses requests without TLS")
    return failed("does not refuse all requests without TLS")


def _refuses_plain_http(statement: policy.Statement) -> bool:
    """Whether it denies everyone what comes without TLS, or an old TLS, on that condition alone."""
    if statement.allows or statement.other_principals or policy.EVERYONE not in statement.principals:
        return False
    if len(statement.conditions) != 1:
        return False
    condition = statement.conditions[0]
    if condition.quantifier:
        return False
    if condition.key == "aws:securetransport":
        compared = (condition.operator, [value.lower() for value in condition.values])
        return compared in (("bool", ["false"]), ("stringequals", ["false"]), ("stringnotequals", ["true"]))
    if condition.key == "s3:tlsversion" and condition.operator == "numericlessthan":
        return all(_number(value) >= 1.2 for value in condition.values)
    return False


def _number(text: str) -> float:
    return float(text) if text.replace(".", "", 1).isdigit() else 0.0
