"""The equations of a device as a residual, from its model, with their checks and currents.

* ``model`` holds the data, and ``argument_checks`` checks them
* ``carriers``, ``boundaries`` and ``transport`` are the terms
* ``balances``, ``rows`` and ``potential_form`` are the steady equations
* ``time_form`` holds those in time, and ``contact_surfaces`` the currents that they give
"""
