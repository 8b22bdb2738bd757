"""Drives somebody else's implementation over AMQP through the rules that it must keep."""
