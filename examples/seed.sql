-- Example rows, as any SQLite client can put them in:
--   allow-nets init && sqlite3 /var/lib/allow-nets/access.db < seed.sql
-- They count from the next recipient on. `allow-nets tidy` brings such rows into canonical form; nothing depends on it but speed.

insert into access (user, network) values ('test1', '127.0.0.1/32');
insert into access (user, network) values ('test2', '172.31.27.95/32');
insert into access (user, network, note) values ('test3', '2001:db8:1::/48', 'the office, IPv6');
