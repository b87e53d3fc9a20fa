"""A two-way call: one sender, one receiver, one peer connection, and the page through which a person sees and hears it.

engine.py        the call from `start` to its end: seat, connections, states
conversation.py  one connection: hello, pictures, media both ways, until it is lost or somebody hangs up
watching.py      camera frames -> crop -> motion         outgoing.py  motion + sound -> media messages
incoming.py      media messages -> motion, sound         screen.py    motion -> pictures, in a thread of their own
server.py        the local page and its WebSocket        headless.py  a clip in, a file out, and nobody watching
"""
