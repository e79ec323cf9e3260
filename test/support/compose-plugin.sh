#!/bin/sh
# docker-compose 1.29 as a plugin of the docker CLI, for programs that only know `docker compose`.
if [ "$1" = docker-cli-plugin-metadata ]; then
  echo '{"SchemaVersion":"0.1.0","Vendor":"Debian","Version":"1.29","ShortDescription":"Compose"}'
  exit
fi
if [ "$1" = compose ]; then shift; fi
exec docker-compose "$@"
