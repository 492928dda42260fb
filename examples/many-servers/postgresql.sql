-- The list in PostgreSQL, and a user who may read it and nothing else. Load it into the database that mail uses:
--   psql -d mail -f postgresql.sql

create table access (
  "user" text not null,     -- SASL user name, @example.com or *
  network text not null,    -- CIDR, address, any or @SET
  note text,
  expires timestamptz,
  primary key ("user", network)
);

insert into access ("user", network, note) values
  ('alice@example.com', '192.0.2.0/24', 'office'),
  ('alice@example.com', '2001:db8:1::/48', 'office'),
  ('bob@example.com', '198.51.100.7', NULL);

create role "allow-nets" login password 'change-me';
grant select ("user", network, note, expires) on access to "allow-nets";
