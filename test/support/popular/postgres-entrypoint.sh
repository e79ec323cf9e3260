#!/bin/bash
# Behaves like the entrypoint of the image that everybody uses: makes the cluster at the first start, runs what is in
# /docker-entrypoint-initdb.d on a server that only this machine reaches, and then becomes the server.
set -euo pipefail

if [[ ${1:0:1} == - ]]; then set -- postgres "$@"; fi
[[ ${1:-} == postgres ]] || exec "$@"
shift

if [[ $(id -u) == 0 ]]; then
  mkdir -p "$PGDATA" /var/run/postgresql
  chown -R postgres:postgres "$PGDATA" /var/run/postgresql
  chmod 700 "$PGDATA"
  exec setpriv --reuid postgres --regid postgres --clear-groups "$0" postgres "$@"
fi

user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}
if [[ ! -s $PGDATA/PG_VERSION ]]; then
  if [[ -z ${POSTGRES_PASSWORD:-} && ${POSTGRES_HOST_AUTH_METHOD:-} != trust ]]; then
    echo 'Error: Database is uninitialized and superuser password is not specified.' >&2
    exit 1
  fi
  password_file=$(mktemp)
  printf '%s\n' "${POSTGRES_PASSWORD:-}" >"$password_file"
  # shellcheck disable=SC2086
  initdb --username="$user" --pwfile="$password_file" --encoding=UTF8 --locale=C --no-sync ${POSTGRES_INITDB_ARGS:-}
  rm "$password_file"
  echo "host all all all ${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"
  pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -c fsync=off" -w start
  export PGPASSWORD=${POSTGRES_PASSWORD:-}
  if [[ $database != postgres ]]; then
    psql -v ON_ERROR_STOP=1 --username="$user" --dbname=postgres -c "CREATE DATABASE \"$database\""
  fi
  for script in /docker-entrypoint-initdb.d/*; do
    case $script in
      *.sql) psql -v ON_ERROR_STOP=1 --username="$user" --dbname="$database" --file="$script" ;;
      *.sh) bash "$script" ;;
    esac
  done
  pg_ctl -D "$PGDATA" -m fast -w stop
  echo 'PostgreSQL init process complete; ready for start up.'
fi
exec postgres -c listen_addresses='*' -c fsync=off "$@"
