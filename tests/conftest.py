"""What is left out of every run that does not ask for it by name."""


def pytest_collection_modifyitems(config, items):
    """Deselect the checks of hours, unless ``-m million`` asks for them."""
    if "million" in config.option.markexpr:
        return
    kept = [item for item in items if item.get_closest_marker("million") is None]
    if len(kept) < len(items):
        config.hook.pytest_deselected(items=[i for i in items if i not in set(kept)])
        items[:] = kept
