"""Fuzz a target with atheris, libFuzzer for Python: `python -m tests.fuzz decoder -max_total_time=60`.

Targets are the modules beside this one: decoder, recording, control. What follows the name goes to libFuzzer. Inputs
that reach something new are kept in build/fuzz/NAME; one that breaks the contract is written to the working directory
and can be tried again by giving its path. Needs `pip install facewire[fuzz]`.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

TARGETS = ("decoder", "recording", "control")
LIMITS = ["-timeout=10", "-rss_limit_mb=2048", "-max_len=8192"]  # seconds for an input, memory, bytes of an input


def main() -> None:
    """Run until libFuzzer ends."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"expected one of {', '.join(TARGETS)}, then options of libFuzzer")
    try:
        import atheris
    except ImportError:
        sys.exit("expected atheris to be installed: pip install 'facewire[fuzz]'")
    name = sys.argv[1]
    with atheris.instrument_imports(include=["codec", "signaling.control_messages"]):
        module = importlib.import_module(f"tests.fuzz.{name}")
    corpus = Path("build/fuzz") / name
    corpus.mkdir(parents=True, exist_ok=True)
    for index, seed in enumerate(module.seeds()):
        (corpus / f"seed_{index}").write_bytes(seed)
    options = sys.argv[2:]
    repeats = any(not option.startswith("-") for option in options)  # inputs given to be tried again
    atheris.Setup([sys.argv[0], *LIMITS, *options, *([] if repeats else [str(corpus)])], module.target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
