#!/bin/sh
# Healthy: Redis answers whoever has the password.
REDISCLI_AUTH=$(cat /run/secrets/redis_password) redis-cli ping 2> /dev/null | grep -q PONG
