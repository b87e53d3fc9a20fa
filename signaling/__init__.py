"""How two peers find each other and what they agree on before the first frame.

Server side (no aiortc, no torch): cli -> app -> rooms, messages, settings.
Peer side: client (the server's socket), peer (the WebRTC connection), udp_tap (bytes on the wire), control (hello,
source picture, bye), liveness, terminal (what the person at the keyboard sees and presses).
"""
