"""What the user gives: functions, parameters, Jacobian, blocks and start, each checked."""
