"""Statuses, results, branches and their files: what a solve or a run returns."""

from .branch import Branch, PartialBranchWarning
from .result import Result
from .special_points import ApproximateSpecialPoint, SpecialPoint
from .status import Status

__all__ = [
    "ApproximateSpecialPoint",
    "Branch",
    "PartialBranchWarning",
    "Result",
    "SpecialPoint",
    "Status",
]
