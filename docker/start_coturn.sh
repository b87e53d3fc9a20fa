#!/bin/sh
# Start coturn with what only this machine knows: secret, certificate, addresses. They go into a file in memory, because
# a command line is seen by everybody on the machine.
set -eu
umask 077
conf=/tmp/coturn.conf

[ -r /run/secrets/turn_secret ] || { echo "coturn: expected a secret in secrets/turn_secret, got none: run docker/setup.sh" >&2; exit 1; }
secret=$(cat /run/secrets/turn_secret)
[ "${#secret}" -ge 32 ] || { echo "coturn: expected a turn_secret of at least 32 characters, got ${#secret}: run docker/setup.sh" >&2; exit 1; }
own=$(hostname -I | tr ' ' '\n' | grep -m 1 -F .)

cp /etc/facewire/coturn.conf "$conf"
{
  echo "static-auth-secret=$secret"
  echo "realm=${TURN_REALM:-facewire}"
  echo "min-port=${TURN_MIN_PORT:-49160}"
  echo "max-port=${TURN_MAX_PORT:-49259}"
  echo "listening-ip=$own"
  echo "relay-ip=$own"
  # Two peers who both need the relay meet at its own address; nothing but coturn listens there.
  echo "allowed-peer-ip=$own"
  [ -z "${TURN_EXTERNAL_IP:-}" ] || echo "external-ip=$TURN_EXTERNAL_IP/$own"
  if [ -r /run/secrets/tls_cert ] && [ -r /run/secrets/tls_key ]; then
    echo "cert=/run/secrets/tls_cert"
    echo "pkey=/run/secrets/tls_key"
  else
    echo "no-tls"
    echo "coturn: no certificate in secrets/tls_cert and tls_key, so no TURN over TLS" >&2
  fi
} >> "$conf"
exec turnserver -c "$conf"
