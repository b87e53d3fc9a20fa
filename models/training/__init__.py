"""Preparing clips, training the networks, measuring the result. Nothing here is needed in a call."""
