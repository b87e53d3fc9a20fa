"""Exit status 0 if the program in this container holds its line to signaling, or the UDP socket of a call."""

import sys
from pathlib import Path

ESTABLISHED = "01"


def rows(name: str) -> list[list[str]]:
    """Lines of one of the kernel's tables of sockets, without the heading."""
    table = Path("/proc/1/net") / name
    return [line.split() for line in table.read_text().splitlines()[1:]] if table.is_file() else []


connected = [row for name in ("tcp", "tcp6") for row in rows(name) if row[3] == ESTABLISHED]
datagrams = rows("udp") + rows("udp6")
if not connected and not datagrams:
    sys.exit("neither a connection to signaling nor a call")
print(f"{len(connected)} connections, {len(datagrams)} UDP sockets")
