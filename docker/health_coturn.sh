#!/bin/sh
# Healthy: coturn answers a STUN request.
exec turnutils_stunclient -p 3478 "$(hostname -I | tr ' ' '\n' | grep -m 1 -F .)" > /dev/null 2>&1
