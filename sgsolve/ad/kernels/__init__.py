"""Compiled evaluation: a function of arrays becomes machine code, with the bits of NumPy.

`lowering` turns a traced graph into `values`, `loop_schedule` arranges them in loops, `assembly`
adds the Jacobian, `llvm_function` writes LLVM IR, and `machine` compiles it. `lowered_code` and
`object_cache` keep all of this on disk. A `kernel` is compiled code with its arrays.
`compiled_evaluation` chooses among kernels, and makes them when they pay.
"""
