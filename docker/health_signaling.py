"""Exit status 0 if the signaling server in this container answers /healthz (or the path given) with 200."""

import os
import ssl
import sys
import urllib.error
import urllib.request

path = sys.argv[1] if len(sys.argv) > 1 else "/healthz"
scheme = "https" if os.environ.get("FACEWIRE_TLS_CERTIFICATE_FILE") else "http"
# The certificate names the server as people reach it, not as 127.0.0.1.
trust = ssl._create_unverified_context()
try:
    url = f"{scheme}://127.0.0.1:{os.environ.get('FACEWIRE_PORT', '8765')}{path}"
    with urllib.request.urlopen(url, timeout=5, context=trust) as answer:
        print(answer.read().decode())
except (urllib.error.URLError, TimeoutError) as error:
    sys.exit(f"no answer from {url}: {error}")
