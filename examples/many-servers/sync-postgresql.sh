#!/bin/sh
# A local copy of the list in PostgreSQL, for as long as this runs: the plain command, without systemd.
export PGSERVICEFILE=/etc/allow-nets/pg_service.conf
exec allow-nets sync --every 30s -- \
  psql --no-psqlrc --csv -c 'select "user", network, note, expires from access' service=allow-nets
