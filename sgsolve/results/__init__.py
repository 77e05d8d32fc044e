"""What a solve or a sweep hands back: statuses, results, branches and their files."""

from .branch import Branch, PartialBranchWarning
from .result import Result
from .special_points import Special
from .status import Status

__all__ = ["Branch", "PartialBranchWarning", "Result", "Special", "Status"]
