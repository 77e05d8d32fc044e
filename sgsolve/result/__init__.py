"""What a solve or a sweep hands back: statuses, results, branches and their files."""

from .branch import Branch, PartialBranchWarning, Special
from .result import Result
from .status import Status

__all__ = ["Branch", "PartialBranchWarning", "Result", "Special", "Status"]
