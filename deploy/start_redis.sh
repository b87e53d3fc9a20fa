#!/bin/sh
# Start Redis with the password of secrets/redis_password, in a file in memory.
set -eu
umask 077
conf=/tmp/redis.conf

[ -r /run/secrets/redis_password ] || { echo "redis: expected a password in secrets/redis_password, got none: run deploy/setup.sh" >&2; exit 1; }
secret=$(cat /run/secrets/redis_password)
[ "${#secret}" -ge 32 ] || { echo "redis: expected a redis_password of at least 32 characters, got ${#secret}: run deploy/setup.sh" >&2; exit 1; }
case $secret in
  *[Cc]hange* | *[Ss]ecret* | *[Dd]efault* | *[Ee]xample* | *[Pp]assword* | *[Rr]eplace*)
    echo "redis: expected a redis_password drawn by chance, got a placeholder from an example: run deploy/setup.sh" >&2
    exit 1
    ;;
esac
cp /etc/facewire/redis.conf "$conf"
echo "requirepass $secret" >> "$conf"
exec redis-server "$conf"
