#!/bin/bash
# health PORT PATH: healthy if the server in this container answers 200.
exec 3<> "/dev/tcp/127.0.0.1/$1" && printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&3 && read -r answer <&3 && [[ $answer == *" 200 "* ]]
