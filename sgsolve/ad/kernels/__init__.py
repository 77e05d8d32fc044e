"""Compiled evaluation: a function of arrays becomes machine code, with the bits of NumPy.

* ``machine`` and ``object_cache`` compile LLVM IR, and keep the machine code on disk
* ``loops`` are loops of the library itself: those of short solves and of time steps
* ``lowering`` turns a traced graph into values, each element computed from elements of others
* ``printing`` arranges the values in loops, adds the Jacobian, and writes all of it as LLVM IR
* ``running`` holds a kernel with its arrays, its guards and its calls
* ``trace_attempts``, ``account``, ``variant`` and ``variant_set`` make kernels when they pay
* ``compiled_evaluation`` runs them, and compares them with NumPy
* ``compiled_function`` and ``member_evaluation`` are the doors for one state and for many
"""
