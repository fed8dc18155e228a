"""What runs the code still gets security patches."""

from wa_audit.rule import (
    Inventory,
    Resource,
    Verdict,
    check,
    failed,
    not_applicable,
    not_evaluated,
    passed,
    versions,
)


@check("AWS::Lambda::Function")
def lambda_runtime_supported(function: Resource, inventory: Inventory, *, warn_days: int) -> Verdict:
    """Passes where the runtime is not deprecated and will not be within `warn_days` days.

    The day counts on which AWS stops to patch the runtime, from a dated table that comes with wa-audit;
    the later days on which creating and updating functions is blocked move too often. A runtime that
    comes near its day fails with low severity; one that the table does not hold is not evaluated.
    Container images and provided.al2023 bring a runtime of their own and are out of scope.
    """
    runtime = function["Runtime"]
    if function["PackageType"] == "Image" or not runtime:
        return not_applicable("is a container image, which brings its own runtime", PackageType="Image")
    if runtime == "provided.al2023":
        return not_applicable("brings its own runtime on a supported Amazon Linux", Runtime=runtime)
    deprecated = versions.lambda_deprecation(runtime)
    if deprecated is None:
        return not_evaluated(f"uses runtime {runtime}, whose deprecation date is not known", Runtime=runtime)

    days = versions.days_until(deprecated, inventory.run.finished)
    if days <= 0:
        return failed(
            f"uses runtime {runtime}, deprecated since {deprecated}", Runtime=runtime, deprecated=deprecated
        )
    if days <= warn_days:
        message = f"uses runtime {runtime}, which will be deprecated on {deprecated}"
        return failed(message, severity="low", Runtime=runtime, deprecated=deprecated)
    return passed(
        f"uses runtime {runtime}, supported until {deprecated}", Runtime=runtime, deprecated=deprecated
    )
