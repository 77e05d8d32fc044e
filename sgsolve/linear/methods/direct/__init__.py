"""Direct methods: factorizations of sparse, banded and dense matrices."""
