"""Where a run begins: consistent values, the index of the system, the step after an event."""
