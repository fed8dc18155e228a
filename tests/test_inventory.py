"""The inventory answers what it knows, and raises where it could not look."""

from __future__ import annotations

from pathlib import Path

import pytest

from wa_audit import inventory as inventories
from wa_audit.inventory import Inventory, Run
from wa_audit.model import ConfigurationError, Gap, Reason, Resource, Unread

RUN = Run(account="123456789012", regions=("eu-west-1", "eu-central-1"))
QUEUE = "AWS::SQS::Queue"


def _queue(name: str = "orders", region: str = "eu-west-1", **data: object) -> Resource:
    return Resource(
        type=QUEUE,
        arn=f"arn:aws:sqs:{region}:123456789012:{name}",
        name=name,
        account="123456789012",
        region=region,
        data=data,
    )


def _gap(
    region: str = "eu-west-1", fields: tuple[str, ...] = (), reason: Reason = Reason.ACCESS_DENIED
) -> Gap:
    return Gap(
        type=QUEUE,
        operation="sqs:ListQueues",
        action="sqs:ListQueues",
        reason=reason,
        region=region,
        fields=fields,
    )


def test_a_refused_region_spoils_the_whole_and_no_other_region() -> None:
    inventory = Inventory(RUN, [_queue(region="eu-central-1")], [_gap("eu-west-1")])
    assert len(inventory.of(QUEUE, region="eu-central-1")) == 1
    for region in (None, "eu-west-1"):
        with pytest.raises(Unread):
            inventory.of(QUEUE, region=region)


def test_find_tells_not_there_from_could_not_look() -> None:
    inventory = Inventory(RUN, [_queue()], [_gap("eu-central-1")])
    assert inventory.find(QUEUE, _queue().arn) is not None
    assert inventory.find(QUEUE, "arn:aws:sqs:eu-west-1:123456789012:missing") is None
    assert inventory.find(QUEUE, None) is None
    with pytest.raises(Unread):
        inventory.find(QUEUE, "arn:aws:sqs:eu-central-1:123456789012:missing")


def _delay(queue: Resource) -> int:
    return int(queue["Delay"] or 0)


def test_what_has_a_value_is_looked_up_in_its_region() -> None:
    near, far = _queue("near", Delay=1), _queue("far", "eu-central-1", Delay=1)
    inventory = Inventory(RUN, [near, far, _queue("other", Delay=2), _queue("none")])
    for by in ("Delay", _delay):
        assert inventory.having(QUEUE, by, 1, region="eu-west-1") == [near]
        assert inventory.having(QUEUE, by, 1, region="eu-central-1") == [far]
        assert inventory.having(QUEUE, by, 3, region="eu-west-1") == []
    assert [q.name for q in inventory.having(QUEUE, "Delay", None, region="eu-west-1")] == ["none"]


def test_what_has_a_value_is_unknown_where_one_was_not_read() -> None:
    dark = _queue("dark")
    dark.gaps = (_gap(fields=("Delay",)),)
    inventory = Inventory(RUN, [_queue("near", Delay=1), dark], [_gap("eu-central-1")])
    for region in RUN.regions * 2:
        for by in ("Delay", _delay):
            with pytest.raises(Unread):
                inventory.having(QUEUE, by, 1, region=region)


@pytest.mark.parametrize(
    "arn", ["arn:aws:sqs:eu-west-1:999999999999:theirs", "arn:aws:sqs:us-east-1:123456789012:far"]
)
def test_what_lies_outside_the_audit_is_unknown(arn: str) -> None:
    with pytest.raises(Unread) as raised:
        Inventory(RUN, []).find(QUEUE, arn)
    assert raised.value.gap.reason is Reason.OUT_OF_SCOPE
    assert arn in raised.value.gap.sentence


def test_a_field_that_was_not_collected_is_unread_on_every_resource() -> None:
    gap = _gap("", ("RedrivePolicy",), Reason.NOT_COLLECTED)
    inventory = Inventory(RUN, [_queue(), _queue("returns", VisibilityTimeout=30)], [gap])
    for queue in inventory.of(QUEUE):
        with pytest.raises(Unread):
            queue["RedrivePolicy"]
    assert inventory.of(QUEUE)[1]["VisibilityTimeout"] == 30


def test_a_file_holds_all_that_there_is(tmp_path: Path) -> None:
    own = _gap(fields=("Policy",))
    queue = _queue(VisibilityTimeout=30)
    queue.gaps = (own,)
    made = Inventory(RUN, [queue, _queue("returns")], [_gap("eu-central-1"), _gap("", ("Tags",))])
    path = tmp_path / "inventory.jsonl"
    inventories.write(made, path)
    again = inventories.read(path)
    assert list(inventories.lines(again)) == list(inventories.lines(made))
    assert again.run == RUN
    assert own in again.known(QUEUE)[0].gaps
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_order_in_which_things_were_read_does_not_show() -> None:
    queues = [_queue(name) for name in "cab"]
    gaps = [_gap("eu-west-1"), _gap("eu-central-1")]
    forth = list(inventories.lines(Inventory(RUN, queues, gaps)))
    back = list(inventories.lines(Inventory(RUN, queues[::-1], gaps[::-1])))
    assert forth == back


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text[: len(text) // 2], "line"),
        (lambda text: text[: text.rindex("\n", 0, -1) + 1], "cut off"),
        (lambda text: text.replace('"version":1', '"version":9'), "version 9"),
        (lambda text: "name,arn\n", "line 1: not an inventory"),
        (lambda text: "", "line 1: not an inventory"),
        (lambda text: text.replace('"run":{', '"walk":{'), "line 1"),
    ],
    ids=["cut within a line", "cut between lines", "newer", "something else", "empty", "without its run"],
)
def test_a_damaged_file_says_where(tmp_path: Path, damage: object, words: str) -> None:
    path = tmp_path / "inventory.jsonl"
    inventories.write(Inventory(RUN, [_queue(), _queue("returns")]), path)
    path.write_text(damage(path.read_text()))  # type: ignore[operator]
    with pytest.raises(ConfigurationError, match=words) as raised:
        inventories.read(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_many_resources_say_is_held_once(tmp_path: Path) -> None:
    policy, tags = {"Statement": [{"Effect": "Deny", "Action": "*"}]}, {"team": "data"}
    found = [_queue(name, Policy=policy, Tags=tags, Delay=number) for number, name in enumerate("ab")]
    inventories.write(Inventory(RUN, found), tmp_path / "inventory.jsonl")

    one, other = inventories.read(tmp_path / "inventory.jsonl").of(QUEUE)

    assert (one.data, other.data) == (found[0].data, found[1].data)
    assert one.data["Policy"] is other.data["Policy"]
    assert one.data["Tags"] is other.data["Tags"]
    assert one.data is not other.data


def test_a_damaged_field_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "inventory.jsonl"
    inventories.write(Inventory(RUN, [_queue(Delay=[1, 2])]), path)
    path.write_text(path.read_text().replace("[1,2]", "[1,nought]"))

    with pytest.raises(ConfigurationError, match=r"line 2: .*; collect again"):
        inventories.read(path)
