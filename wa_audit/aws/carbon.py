"""Carbon intensity of the grids that AWS regions stand in.

Location-based: grams of CO2e a kilowatt-hour of the grid, whatever energy AWS buys elsewhere. AWS's own
figures are market-based and lower. Source and date stand in data/region_carbon.tsv.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from wa_audit.aws.framework import table
from wa_audit.model import Saving

# Regions between which data can move without leaving a legal space: the European Union, one country, or one
# of AWS's partitions. A region in no group is alone.
_RESIDENCIES: Mapping[str, tuple[str, ...]] = {
    "European Union": (
        "eu-central-1",
        "eu-north-1",
        "eu-south-1",
        "eu-south-2",
        "eu-west-1",
        "eu-west-3",
    ),
    "United States": ("us-east-1", "us-east-2", "us-west-1", "us-west-2"),
    "AWS GovCloud (US)": ("us-gov-east-1", "us-gov-west-1"),
    "Canada": ("ca-central-1", "ca-west-1"),
    "Japan": ("ap-northeast-1", "ap-northeast-3"),
    "India": ("ap-south-1", "ap-south-2"),
    "Australia": ("ap-southeast-2", "ap-southeast-4"),
    "China": ("cn-north-1", "cn-northwest-1"),
}


@cache
def intensities() -> Mapping[str, int]:
    """Grams of CO2e a kilowatt-hour, by region."""
    return MappingProxyType({region: int(grams) for region, grams, _ in table("region_carbon.tsv")})


def intensity(region: str) -> int | None:
    """Grams of CO2e a kilowatt-hour of a region's grid; None where it is not known."""
    return intensities().get(region)


def residency(region: str) -> str:
    """The legal space that a region lies in; the region itself where it is alone in its own."""
    return next((name for name, regions in _RESIDENCIES.items() if region in regions), region)


def best_move(cleaner_than: Mapping[str, list[str]]) -> Saving | None:
    """The move, from a region to one of those that are cleaner, that saves most; None where there is none."""
    known = intensities()
    moves = [
        (100 * (1 - known[others[0]] / known[region]), region, others[0])
        for region, others in cleaner_than.items()
        if others and known.get(region)
    ]
    if not moves:
        return None
    percent, region, other = max(moves)
    return Saving(
        percent=round(percent, 1),
        of=f"what the electricity for what runs in {region} emits, in {other}",
        basis=f"location-based: {known[region]} and {known[other]} gCO2e/kWh, Cloud Carbon Footprint",
    )


def cleaner(region: str, most: int) -> list[str]:
    """Regions of the same legal space whose grids emit at most this many grams, the cleanest first."""
    known = intensities()
    here = known.get(region, most + 1)
    found = [
        other
        for other in _RESIDENCIES.get(residency(region), ())
        if other in known and known[other] <= most and known[other] < here
    ]
    return sorted(found, key=lambda other: known[other])
