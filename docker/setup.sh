#!/bin/sh
# Makes what is missing before the first `docker compose up`: .env, and in secrets/ the keys and a certificate. What is there
# stays as it is. Run it in the folder of docker-compose.yml:
#
#   docker/setup.sh calls.example.com      the name (or IPv4 address) by which people reach this machine
#
# The certificate is signed by itself, for a first try: put your own into secrets/tls_cert and secrets/tls_key.
# SECRETS=folder and ENV_FILE=file put them elsewhere, as docker-compose.yml reads them.
set -eu
secrets=${SECRETS:-secrets}
settings=${ENV_FILE:-.env}
name=${1:-}
case $name in
  "" | *[!A-Za-z0-9.-]*) echo "setup.sh: expected the name by which people reach this machine, got '$name': docker/setup.sh calls.example.com" >&2; exit 2 ;;
esac

if [ ! -e "$settings" ]; then
  sed "s/^PUBLIC_NAME=.*/PUBLIC_NAME=$name/" .env.example > "$settings"
  echo "made $settings for $name"
fi

# Containers run as a user whom this machine does not know, so the files are readable; the folder keeps everybody else out.
mkdir -p "$secrets" && chmod 700 "$secrets"
umask 022
for file in api_key token_secret turn_secret redis_password; do
  [ -s "$secrets/$file" ] && continue
  head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' > "$secrets/$file"
  echo "made $secrets/$file"
done
[ -s "$secrets/redis_url" ] || printf 'redis://:%s@redis:6379/0' "$(cat "$secrets/redis_password")" > "$secrets/redis_url"

if [ ! -s "$secrets/tls_cert" ] || [ ! -s "$secrets/tls_key" ]; then
  command -v openssl > /dev/null || { echo "setup.sh: expected openssl, or your certificate in $secrets/tls_cert and $secrets/tls_key; got neither" >&2; exit 1; }
  case $name in
    *[!0-9.]*) kind=DNS ;;
    *) kind=IP ;;
  esac
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj "/CN=$name" \
    -addext "subjectAltName=$kind:$name,DNS:localhost,IP:127.0.0.1" \
    -keyout "$secrets/tls_key" -out "$secrets/tls_cert" 2> /dev/null
  chmod 644 "$secrets/tls_key"
  echo "made $secrets/tls_cert and $secrets/tls_key for $name, signed by itself"
fi
