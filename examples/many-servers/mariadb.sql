-- The list in MariaDB or MySQL, and a user who may read it and nothing else. Load it into the database that mail uses:
--   mariadb mail < mariadb.sql

create table access (
  user varchar(255) character set utf8mb4 not null,  -- SASL user name, @example.com or *
  network varchar(64) not null,                      -- CIDR, address, any or @SET
  note varchar(255) character set utf8mb4,
  expires datetime,                                  -- in UTC
  primary key (user, network)
);

insert into access (user, network, note) values
  ('alice@example.com', '192.0.2.0/24', 'office'),
  ('alice@example.com', '2001:db8:1::/48', 'office'),
  ('bob@example.com', '198.51.100.7', NULL);

create user 'allow-nets'@'%' identified by 'change-me';
grant select (user, network, note, expires) on access to 'allow-nets'@'%';
