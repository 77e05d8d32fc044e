"""From a traced graph to the values of a kernel: what each element is computed from."""
