#!/bin/bash
# Options alone are the server's; it answers without a password, as in the image that everybody uses.
set -euo pipefail
if [[ $# -eq 0 || ${1:0:1} == - || $1 == *.conf ]]; then set -- redis-server "$@"; fi
if [[ $1 == redis-server ]]; then
  shift
  exec redis-server "$@" --protected-mode no
fi
exec "$@"
