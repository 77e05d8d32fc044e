"""Statuses, results, branches and their files: what a solve or a run returns."""

from .branch import Branch, PartialBranchWarning
from .result import Result
from .special_points import Special
from .status import Status

__all__ = ["Branch", "PartialBranchWarning", "Result", "Special", "Status"]
