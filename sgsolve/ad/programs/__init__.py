"""Computations that recur are recorded, traced, compiled and run as one function.

`derivative_graph` records the operations of an evaluation and `tape` the arrays they refer to;
`recorded` is the derivative that records. `tracing` turns recorded operations into a graph of
array operations, `program` compiles that graph, and `computation` decides when. `element_loops`
holds derivatives for residuals that loop over elements.
"""
