"""What holds for every test."""

import signal

# A shell starts its background jobs with SIGINT ignored, and every program started from here would inherit that:
# the tests of Ctrl-C would then wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
