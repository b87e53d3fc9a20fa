"""The sending half of a call. One frame's way, file by file:

camera -> crop -> extract -> packetise -> send

pipeline.py is that loop; session.py sets the call up around it and ends it.
rate.py says how often, how well and with how many repeats, by what feedback.py hears from the receiver.
"""
