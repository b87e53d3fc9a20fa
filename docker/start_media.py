"""`facewire send` or `facewire receive` in a container: takes its link, trusts the team's certificate, then runs.

    start_media.py send [flags of `facewire send`]
    start_media.py receive [flags of `facewire receive`]

The link comes from FACEWIRE_LINK, or from the file that the service `room` writes; never from a command line, where its
token could be seen from outside.
"""

import os
import ssl
import sys
import time
from pathlib import Path

LINKS = Path("/links")
WAIT_S = 60.0
CERTIFICATE = Path("/run/secrets/tls_cert")
TRUSTED = Path("/tmp/trusted.pem")


def link_for(program: str) -> str:
    """Return the link, waiting for the room to be made. Ends the program in words where none comes."""
    given = os.environ.get("FACEWIRE_LINK", "").strip()
    file = LINKS / program
    deadline_s = time.monotonic() + WAIT_S
    while not given:
        if file.is_file():
            given = file.read_text().strip()
        elif time.monotonic() > deadline_s:
            sys.exit(f"{program}: expected FACEWIRE_LINK, or a link in {file} within {WAIT_S:g} s; see `logs room`")
        else:
            time.sleep(0.2)
    return given


def trust_team_certificate() -> None:
    """Let TLS trust what the system trusts and the team's own certificate, which may be signed by itself."""
    system = ssl.get_default_verify_paths().cafile
    parts = [Path(path).read_text() for path in (system, CERTIFICATE) if path and Path(path).is_file()]
    TRUSTED.write_text("\n".join(parts))
    os.environ["SSL_CERT_FILE"] = str(TRUSTED)


def main() -> None:
    """Run the program in this process."""
    if len(sys.argv) < 2 or sys.argv[1] not in ("send", "receive"):
        sys.exit(f"expected send or receive and their flags, got {sys.argv[1:2]}")
    program, *flags = sys.argv[1:]
    trust_team_certificate()
    link = link_for(program)
    import facewire

    sys.exit(facewire.run([program, "--room", link, *flags]))


if __name__ == "__main__":
    main()
