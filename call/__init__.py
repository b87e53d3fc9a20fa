"""A two-way call: one sender and one receiver on one peer connection.

states -> progress: what a call is doing, decided without sockets, tasks or a clock of its own.
"""
