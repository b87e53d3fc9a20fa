"""The receiving half of a call. One frame's way, file by file:

channel -> collect -> decode -> render -> show

pipeline.py is that loop; session.py sets the call up around it and ends it.
"""
