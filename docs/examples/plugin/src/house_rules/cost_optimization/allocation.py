"""Costs can be told apart."""

from wa_audit.rule import Resource, Verdict, check, failed, passed


@check("AWS::Lambda::Function")
def house_cost_centre(function: Resource, *, tag: str) -> Verdict:
    """Passes where the function bears the tag `tag`."""
    if centre := function.tags.get(tag):
        return passed(f"is charged to {centre}", Tags={tag: centre})
    return failed(f"has no tag {tag}")
