"""Pipelines in the audit and drawn: their scores, their weakest link, and drawings that hold at any size."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pydot
import pytest
from click.testing import CliRunner
from rich.console import Console

from tests.relations.test_accounts import ACCOUNTS, RUN
from tests.rules.cases import resource
from wa_audit import inventory as inventories
from wa_audit import pipelines, rulebook
from wa_audit.assess import assess
from wa_audit.cli import cli
from wa_audit.inventory import Inventory
from wa_audit.model import ConfigurationError, Severity, Status
from wa_audit.relations import relate
from wa_audit.report import audit as audits
from wa_audit.report import drawing, graphs, terminal
from wa_audit.report.audit import Audit
from wa_audit.report.drawing import HEIGHT, WIDTH
from wa_audit.report.flows import PipelineFacts

BOOK = rulebook.load().select(rules=["sqs-queue-encrypted", "sqs-queue-dlq", "kinesis-stream-encrypted"])
HOSTILE = '</text><script>alert(1)</script>"]}\n click n0 "javascript:x"'
_PLACE = "eu-west-1:123456789012"


def audit(rows: list[dict[str, Any]]) -> Audit:
    related = relate(Inventory(RUN, [resource(row["type"], row, RUN) for row in rows]))
    findings = list(assess(related, BOOK))
    return audits.build(related, BOOK, findings, flow=pipelines.of(related))


def fan(workers: int, *, name: str = "w{}") -> list[dict[str, Any]]:
    """A stream that so many functions read, each of which fills a table of its own."""
    rows: list[dict[str, Any]] = [{"type": "AWS::Kinesis::Stream", "name": "in"}]
    for number in range(workers):
        function = name.replace("{}", str(number))
        arn = f"arn:aws:lambda:{_PLACE}:function:{number}"
        mapping = {"EventSourceArn": f"arn:aws:kinesis:{_PLACE}:stream/in", "FunctionArn": arn}
        data = {"Environment": {}, "References": [f"AWS::DynamoDB::Table:t{number}"]}
        rows.append({"type": "AWS::Lambda::EventSourceMapping", "name": f"m{number}", "data": mapping})
        rows.append({"type": "AWS::Lambda::Function", "name": function, "arn": arn, "data": data})
        rows.append({"type": "AWS::DynamoDB::Table", "name": f"t{number}"})
    return rows


def drawn(workers: int) -> drawing.Drawing:
    (pipeline,) = audit(fan(workers)).pipelines
    return drawing.draw(pipeline)


def facts(number: int = 2) -> PipelineFacts:
    return audit(ACCOUNTS[number]["resources"]).pipelines[0]


# -- what is said of a pipeline ------------------------------------------------------------------------


def test_a_pipeline_is_scored_by_its_own_findings_alone() -> None:
    rows = [
        {"type": "AWS::SQS::Queue", "name": "good", "data": {"SqsManagedSseEnabled": True}},
        {"type": "AWS::SQS::Queue", "name": "bad", "data": {"SqsManagedSseEnabled": False}},
    ]
    for queue in ("good", "bad"):
        arn = f"arn:aws:lambda:{_PLACE}:function:f-{queue}"
        mapping = {"EventSourceArn": f"arn:aws:sqs:{_PLACE}:{queue}", "FunctionArn": arn}
        rows.append({"type": "AWS::Lambda::Function", "name": f"f-{queue}"})
        rows.append({"type": "AWS::Lambda::EventSourceMapping", "name": f"m-{queue}", "data": mapping})
    found = {p.name: p for p in audit(rows).pipelines}
    security = {name: p.pillars[1] for name, p in found.items()}
    assert {name: p.score for name, p in security.items()} == {"good": 100.0, "bad": 0.0}
    assert found["bad"].weakest.endswith(":bad")
    assert {p.coverage for p in found.values()} == {100.0}


def test_findings_know_their_pipelines() -> None:
    made = audit(ACCOUNTS[2]["resources"])
    of = {r.name: r.pipelines for r in made.resources.values()}
    assert of["billing"] == of["billing-dlq"] == ["events"]


def test_what_dangles_is_shown_as_such() -> None:
    account = next(a for a in ACCOUNTS if "no longer there" in a["account"])
    stages = {s.name: s.state for s in audit(account["resources"]).pipelines[0].stages}
    assert stages == {"t": "found", "f": "found", "deleted": "dangling"}


# -- drawing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("workers", "most"), [(2, 5), (16, 3), (166, 3)])
def test_what_is_alike_folds_so_that_any_size_stays_readable(workers: int, most: int) -> None:
    """Functions that each fill a table of their own are alike only where there are too many to tell apart."""
    made = drawn(workers)
    assert sum(len(box.stages) for box in made.boxes) == 2 * workers + 1
    if workers != 16:
        assert len(made.boxes) <= most


@pytest.mark.parametrize("workers", [2, 16, 166])
def test_no_box_lies_on_another_and_all_lie_within(workers: int) -> None:
    made = drawn(workers)
    corners = [(box.x, box.y) for box in made.boxes]
    for number, (x, y) in enumerate(corners):
        assert 0 <= x <= made.width - WIDTH
        assert 0 <= y <= made.height - HEIGHT
        for other_x, other_y in corners[number + 1 :]:
            assert abs(x - other_x) >= WIDTH or abs(y - other_y) >= HEIGHT


def test_layers_stand_in_the_order_of_the_data() -> None:
    made = drawn(2)
    x = {box.stages[0].layer: box.x for box in made.boxes}
    assert x["ingestion"] < x["processing"] < x["storage"]
    assert not any(arrow.back for arrow in made.arrows)


def test_an_arrow_against_the_data_is_marked() -> None:
    account = next(a for a in ACCOUNTS if "the bucket that it writes to" in a["account"])
    made = drawing.draw(audit(account["resources"]).pipelines[0])
    assert [arrow.back for arrow in made.arrows] == [False, True]


def test_the_same_pipeline_gives_the_same_bytes() -> None:
    assert drawing.svg(drawn(16), title="x") == drawing.svg(drawn(16), title="x")


def test_hostile_names_are_text_in_every_form() -> None:
    rows = fan(1, name=HOSTILE)
    rows[0]["name"] = "in"
    made = audit(rows)
    (pipeline,) = made.pipelines
    written = drawing.svg(drawing.draw(pipeline), title=HOSTILE, link=lambda box: '#"><script>')
    tree = ET.fromstring(written)
    assert {element.tag.rpartition("}")[2] for element in tree.iter()} <= {
        "svg", "g", "rect", "text", "path", "title", "a",
    }  # fmt: skip
    assert "\n click" not in graphs.as_mermaid(pipeline)
    assert '"]}' not in graphs.as_mermaid(pipeline)
    assert all(line.count('"') % 2 == 0 for line in graphs.as_dot(pipeline).replace('\\"', "").splitlines())
    assert "\n click" not in graphs.as_text(pipeline, made)


def test_colour_never_says_anything_alone() -> None:
    account = next(a for a in ACCOUNTS if "no longer there" in a["account"])
    made = audit(account["resources"])
    written = drawing.svg(drawing.draw(made.pipelines[0]), title="x")
    assert "does not exist" in written
    (pipeline,) = audit(fan(1)).pipelines
    assert pipeline.stages[-1].worst is Severity.MEDIUM or any(s.worst for s in pipeline.stages)
    assert re.search(
        r"\d failing, (critical|high|medium|low)", drawing.svg(drawing.draw(pipeline), title="x")
    )


def test_dot_is_what_graphviz_reads() -> None:
    (graph,) = pydot.graph_from_dot_data(graphs.as_dot(facts()))
    nodes = [node for cluster in graph.get_subgraphs() for node in cluster.get_nodes()]
    assert len(nodes) == len(facts().stages)
    assert len(graph.get_edges()) == len(facts().links)


# -- the command line ----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [row for account in ACCOUNTS[:3] for row in account["resources"]]
    inventory = Inventory(RUN, [resource(row["type"], row, RUN) for row in rows])
    inventories.write(inventory, tmp_path / "inventory.jsonl")
    done = call("assess", str(tmp_path / "inventory.jsonl"), "-o", str(tmp_path))
    assert done.exit_code == 0
    return tmp_path


def call(*arguments: str) -> Any:
    return CliRunner().invoke(cli, list(arguments))


def test_they_are_listed_and_drawn(folder: Path) -> None:
    known = ("--audit", str(folder / "audit.json"))
    listed = call("pipelines", *known).output
    assert [name in listed for name in ("clicks", "inbox", "events")] == [True] * 3
    assert "stream/clicks" in call("pipelines", *known, "--json").output
    for form, start in (("text", "clicks ("), ("svg", "<svg"), ("dot", "digraph"), ("mermaid", "flowchart")):
        assert call("pipelines", *known, "show", "clicks", "--format", form).output.startswith(start)
    target = folder / "clicks.svg"
    assert call("pipelines", *known, "show", "clicks", "--format", "svg", "-o", str(target)).exit_code == 0
    assert ET.parse(target).getroot().tag.endswith("svg")


def test_text_stays_within_eighty_columns(folder: Path) -> None:
    known = ("--audit", str(folder / "audit.json"))
    assert all(len(line) <= 80 for line in call("pipelines", *known, "show", "events").output.splitlines())
    console = Console(file=io.StringIO(), width=80)
    terminal.show_pipelines(audits.read(folder / "audit.json"), console)
    assert isinstance(console.file, io.StringIO)
    assert all(len(line) <= 80 for line in console.file.getvalue().splitlines())


def test_an_audit_can_be_narrowed_to_one_pipeline(folder: Path) -> None:
    arguments = ("assess", str(folder / "inventory.jsonl"), "-o", str(folder / "one"))
    assert call(*arguments, "--pipeline", "events").exit_code == 0
    made = audits.read(folder / "one" / "audit.json")
    assert [p.name for p in made.pipelines] == ["events"]
    assert made.run.only == ["pipeline events"]
    assert {name for r in made.resources.values() for name in r.pipelines} == {"events"}
    assert any(f.status is Status.FAIL for f in made.findings)


def test_an_unknown_pipeline_is_one_clear_line(folder: Path) -> None:
    done = call("assess", str(folder / "inventory.jsonl"), "-o", str(folder), "--pipeline", "event")
    assert isinstance(done.exception, ConfigurationError)
    assert "did you mean 'events'" in str(done.exception)
    done = call("pipelines", "--audit", str(folder / "audit.json"), "show", "event")
    assert "did you mean 'events'" in str(done.exception)
