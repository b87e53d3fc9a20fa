#!/bin/sh
# Start Redis with the password of secrets/redis_password, in a file in memory.
set -eu
umask 077
conf=/tmp/redis.conf

[ -r /run/secrets/redis_password ] || { echo "redis: expected a password in secrets/redis_password, got none: run docker/setup.sh" >&2; exit 1; }
secret=$(cat /run/secrets/redis_password)
[ "${#secret}" -ge 32 ] || { echo "redis: expected a redis_password of at least 32 characters, got ${#secret}: run docker/setup.sh" >&2; exit 1; }
cp /etc/facewire/redis.conf "$conf"
echo "requirepass $secret" >> "$conf"
exec redis-server "$conf"
