"""Relations come from configuration, and are unknown where the configuration is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rules.cases import resource
from wa_audit.inventory import Inventory, Run
from wa_audit.model import Gap, Reason, Resource, Unread
from wa_audit.relations import relate

RUN = Run(account="123456789012", regions=("eu-west-1",))
DLQ = "arn:aws:sqs:eu-west-1:123456789012:dlq"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:consume"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:orders"


def _resource(type_: str, name: str, **data: Any) -> Resource:
    return resource(type_, {"name": name, "data": data}, RUN)


def _pairs(*resources: Resource) -> set[tuple[str, str, str]]:
    return {(r.source, r.kind, r.target) for r in relate(Inventory(RUN, resources)).relations()}


def test_an_event_source_mapping_joins_two_others() -> None:
    mapping = _resource(
        "AWS::Lambda::EventSourceMapping", "m", EventSourceArn=QUEUE, FunctionArn=FUNCTION + ":live"
    )
    assert (QUEUE, "triggers", FUNCTION) in _pairs(mapping)


def test_lists_within_fields_are_walked() -> None:
    rule = _resource(
        "AWS::Events::Rule", "nightly", Targets=[{"Arn": FUNCTION, "DeadLetterConfig": {"Arn": DLQ}}]
    )
    assert _pairs(rule) >= {(rule.arn, "triggers", FUNCTION), (rule.arn, "dead-letters-to", DLQ)}


@pytest.mark.parametrize(
    "location", ["s3://lake/results/", "s3a://lake/x", "s3n://lake", "arn:aws:s3:::lake/prefix", "lake"]
)
def test_a_bucket_is_known_by_many_names(location: str) -> None:
    cluster = _resource("AWS::EMR::Cluster", "nightly", LogUri=location)
    assert (cluster.arn, "logs-to", "arn:aws:s3:::lake") in _pairs(cluster)


def test_names_become_arns() -> None:
    trigger = _resource("AWS::Glue::Trigger", "at-two", Actions=[{"JobName": "load"}])
    job = _resource("AWS::Glue::Job", "load", Role="glue-role")
    assert _pairs(trigger, job) >= {
        (trigger.arn, "triggers", job.arn),
        (job.arn, "runs-as", "arn:aws:iam::123456789012:role/glue-role"),
    }


def test_an_alias_is_the_key_that_it_stands_for() -> None:
    alias = _resource("AWS::KMS::Alias", "alias/lake", TargetKeyId="1234")
    queue = _resource("AWS::SQS::Queue", "orders", KmsMasterKeyId="alias/lake")
    assert (queue.arn, "encrypts-with", "arn:aws:kms:eu-west-1:123456789012:key/1234") in _pairs(alias, queue)


def test_nothing_is_invented() -> None:
    queue = _resource("AWS::SQS::Queue", "orders", RedrivePolicy={"deadLetterTargetArn": ""})
    cluster = _resource("AWS::EMR::Cluster", "nightly", LogUri="file:/mnt/logs")
    assert _pairs(queue, cluster) == set()


def _denied(type_: str, fields: tuple[str, ...] = (), region: str = "eu-west-1") -> Gap:
    return Gap(
        type=type_,
        operation="lambda:ListFunctions",
        action="lambda:ListFunctions",
        reason=Reason.ACCESS_DENIED,
        region=region,
        fields=fields,
    )


def test_a_refused_list_makes_its_relations_unknown() -> None:
    queue = _resource("AWS::SQS::Queue", "dlq")
    inventory = relate(Inventory(RUN, [queue], [_denied("AWS::Lambda::Function")]))
    with pytest.raises(Unread):
        inventory.sources(queue, "dead-letters-to")
    with pytest.raises(Unread):
        inventory.has_source(queue, "dead-letters-to")
    assert inventory.sources(queue, "replicates-to") == []


def test_one_hit_suffices_where_only_one_is_asked_for() -> None:
    queue = _resource("AWS::SQS::Queue", "dlq")
    source = _resource("AWS::SQS::Queue", "orders", RedrivePolicy={"deadLetterTargetArn": queue.arn})
    inventory = relate(Inventory(RUN, [queue, source], [_denied("AWS::Lambda::Function")]))
    assert inventory.has_source(queue, "dead-letters-to")


def test_what_stands_around_a_resource_is_at_either_end_of_several_kinds() -> None:
    queue = _resource("AWS::SQS::Queue", "orders", RedrivePolicy={"deadLetterTargetArn": DLQ})
    mapping = _resource("AWS::Lambda::EventSourceMapping", "m", EventSourceArn=QUEUE, FunctionArn=FUNCTION)
    inventory = relate(Inventory(RUN, [queue, mapping]))
    assert inventory.around(queue, ("triggers", "dead-letters-to")) == {DLQ, FUNCTION}
    assert inventory.around(_resource("AWS::SQS::Queue", "dlq"), ("dead-letters-to",)) == {QUEUE}
    assert inventory.around(queue, ("delivers-to",)) == set()


def test_what_stands_around_a_resource_is_unknown_where_one_of_the_kinds_is() -> None:
    queue = _resource("AWS::SQS::Queue", "orders", RedrivePolicy={"deadLetterTargetArn": DLQ})
    inventory = relate(Inventory(RUN, [queue], [_denied("AWS::Lambda::Function")]))
    with pytest.raises(Unread):
        inventory.around(queue, ("replicates-to", "dead-letters-to"))
    assert inventory.around(queue, ("replicates-to",)) == set()


def test_another_regions_refusal_does_not_touch_this_one() -> None:
    queue = _resource("AWS::SQS::Queue", "dlq")
    gap = _denied("AWS::Lambda::Function", region="eu-central-1")
    assert relate(Inventory(RUN, [queue], [gap])).sources(queue, "dead-letters-to") == []


def test_a_refused_field_makes_its_relations_unknown() -> None:
    queue = _resource("AWS::SQS::Queue", "orders")
    queue.gaps = (_denied("AWS::SQS::Queue", ("RedrivePolicy",)),)
    with pytest.raises(Unread):
        relate(Inventory(RUN, [queue])).targets(queue, "dead-letters-to")


# -- what could not be read hides no more than it can -----------------------------------------------


def _unlisted(type_: str, operation: str) -> Gap:
    return Gap(
        type=type_, operation=operation, action=operation, reason=Reason.ACCESS_DENIED, region="eu-west-1"
    )


def test_a_refused_list_makes_unknown_only_what_it_could_have_declared() -> None:
    """IoT rules trigger nothing by themselves, and back nothing up."""
    queue = _resource("AWS::SQS::Queue", "orders")
    bucket = _resource("AWS::S3::Bucket", "lake")
    role = _resource("AWS::IAM::Role", "worker")
    related = relate(
        Inventory(RUN, [queue, bucket, role], [_unlisted("AWS::IoT::TopicRule", "iot:ListTopicRules")])
    )
    assert related.targets(bucket, "delivers-to") == []
    assert related.sources(bucket, "backs-up-to") == []
    with pytest.raises(Unread, match="iot:ListTopicRules"):
        related.sources(queue, "delivers-to")
    with pytest.raises(Unread, match="iot:ListTopicRules"):
        related.sources(role, "runs-as")


def test_a_detail_that_was_refused_of_one_leaves_the_others_known() -> None:
    gap = Gap(
        type="AWS::Glue::Job",
        operation="glue:GetJobs",
        action="glue:GetJobs",
        reason=Reason.MALFORMED,
        region="eu-west-1",
        fields=("Connections",),
    )
    hidden, known = _resource("AWS::Glue::Job", "hidden"), _resource("AWS::Glue::Job", "known")
    hidden.gaps = (gap,)
    related = relate(Inventory(RUN, [hidden, known]))
    assert related.targets(known, "uses") == []
    with pytest.raises(Unread, match="glue:GetJobs"):
        related.targets(hidden, "uses")


def test_a_pattern_over_objects_joins_the_buckets_that_tell_of_them() -> None:
    rule = _resource(
        "AWS::Events::Rule",
        "landed",
        EventPattern={"source": ["aws.s3"], "detail": {"bucket": {"name": [{"prefix": "raw-"}]}}},
    )
    tells = {"Notifications": {"EventBridgeConfiguration": {}}}
    told = resource("AWS::S3::Bucket", {"name": "raw-orders", "region": "eu-west-1", "data": tells}, RUN)
    silent = resource("AWS::S3::Bucket", {"name": "raw-silent", "region": "eu-west-1"}, RUN)
    other = resource("AWS::S3::Bucket", {"name": "curated", "region": "eu-west-1", "data": tells}, RUN)
    triggers = {pair for pair in _pairs(rule, told, silent, other) if pair[1] == "triggers"}
    assert triggers == {(told.arn, "triggers", rule.arn)}


def test_a_rule_that_hears_of_failures_alone_is_told_and_not_triggered() -> None:
    job = "arn:aws:glue:eu-west-1:123456789012:job/load"
    pattern = {"source": ["aws.glue"], "detail": {"jobName": ["load"], "state": ["FAILED", "TIMEOUT"]}}
    failed = _resource("AWS::Events::Rule", "failed", EventPattern=pattern)
    pattern = {"source": ["aws.glue"], "detail": {"jobName": ["load"], "state": ["SUCCEEDED"]}}
    done = _resource("AWS::Events::Rule", "done", EventPattern=pattern)
    assert _pairs(failed, done) == {(failed.arn, "told-of", job), (job, "triggers", done.arn)}
