"""Statuses, results, branches and their files: what a solve or a run returns."""

from .branch import Branch, PartialBranchWarning
from .cost import CostEstimate
from .result import Result
from .special_points import ApproximateSpecialPoint, SpecialPoint
from .status import Status

__all__ = [
    "ApproximateSpecialPoint",
    "Branch",
    "CostEstimate",
    "PartialBranchWarning",
    "Result",
    "SpecialPoint",
    "Status",
]
