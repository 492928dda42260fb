// The view that Dovecot queries at a login. It implements the decision of policy/decide.ts in SQL, which is all that
// Dovecot can run.
//
//     select allow_nets from dovecot where login = json_array('alice@example.com', '203.0.113.9')
//
// returns the network that allows this user from this address. If none does, it returns no row: Dovecot takes an empty
// `allow_nets` for no restriction, and does not check it in every kind of lookup. Only the matching network is returned,
// so the answer is short however large a set is. A view has no parameters, so they are passed through json_each, whose
// hidden column `json` is its argument. An empty address means a lookup by LMTP or doveadm; it gets `local`, which
// Dovecot never grants to a client with an address.
//
// SQL compares text, not bits: the view generates the canonical text of every network that contains the address, and
// looks for these texts. It never grants more than `allow-nets check`, but it grants less in two cases:
// - A hand-written row counts as an entry, but grants something only if its network is spelled as a command spells it, and
//   its time as SQLite's datetime() or a command does.
// - SQL folds ASCII letters only. A login that is not printable ASCII needs an entry of exactly this name, written by a
//   command.
//
// DIAGNOSTICS: SQLite refuses the whole database if it cannot parse a view, so the view uses only features of SQLite
// 3.34. A query that fails is a temporary error in Dovecot.

import { byHand } from '../rules/schema';

const hexDigit = (digits: string, place: number) =>
  `instr('123456789abcdef', substr('000' || ${digits}, -${place}, 1))`;

const hexNumber = (digits: string) =>
  [4, 3, 2, 1].map((place) => `(${hexDigit(digits, place)} << ${4 * place - 4})`).join(' + ');

export const DOVECOT_VIEW = `
create view if not exists dovecot (login, allow_nets) as
select login.json, verdict.value
from json_each as login, json_each(json_array(case json_extract(login.json, '$[1]') when '' then 'local' else (
  with recursive
  client (name, ip) as (
    -- An IPv4-mapped address is its IPv4 address.
    select lower(login.value), substr(ip, case when ip like '::ffff:%.%' then 8 else 1 end)
    from (select json_extract(login.json, '$[1]') as ip)
  ),
  address (ip, size, width, separator, format, groups) as (
    select ip, 32, 8, '.', '%d', replace(ip, '.', '","') from client where ip not glob '*[^0-9.]*'
    union all
    -- Zero groups take the place of the ::.
    select ip, 128, 16, ':', '%x', replace(replace(whole, '::',
      substr(':0:0:0:0:0:0:0', 1, 16 - 2 * (length(whole) - length(replace(whole, ':', '')))) || ':'), ':', '","')
    from (
      select ip, case when ip like '::%' then '0' else '' end || ip || case when ip like '%::' then '0' else '' end as whole
      from client where ip glob '*:*' and ip not glob '*[^0-9a-f:]*' and ip not like '::ffff:%'
    )
  ),
  prefixes (n, ip, size, width, separator, format, groups) as (
    select size, ip, size, width, separator, format, '["' || groups || '"]' from address
    union all
    select n - 1, ip, size, width, separator, format, groups from prefixes where n > 0
  ),
  masked (n, ip, size, text) as (
    -- json_each keeps SQLite from computing the text again for each use of it.
    select n, ip, size, value from prefixes, json_each(json_array((
      select case count(*) when size / width then ':' || group_concat(printf(format, number >> zeros << zeros), separator) || ':' end
      from (
        select case separator when '.' then cast(value as integer) & 255 else ${hexNumber('value')} end as number,
          max(0, (key + 1) * width - n) as zeros
        from json_each(groups)
      )
    )))
  ),
  spelled (n, ip, size, text) as (
    -- RFC 5952: the first of the longest runs of two or more zero groups becomes ::.
    select n, ip, size, coalesce((
      select ltrim(substr(text, 1, instr(text, run) - 1), ':') || '::' || rtrim(substr(text, instr(text, run) + length(run)), ':')
      from (select substr(':0:0:0:0:0:0:0:0', 1, 2 * value) || ':' as run from json_each('[8,7,6,5,4,3,2]'))
      where instr(text, run) > 0 order by length(run) desc limit 1
    ), trim(text, ':'))
    from masked
  ),
  networks (networks) as (
    -- All that contain the address. None, when the address is not in its usual spelling.
    select '["any","' || ip || '",' || substr(json_group_array(text || '/' || n), 2)
    from spelled group by ip having max(case n when size then text end) = ip
  ),
  subjects (subjects) as (
    -- The narrowest first. The head ends with the last @.
    select json_array(name,
      case when head glob '?*@' and head not glob '*@*@' and head <> '*@' then rtrim(head, '@') end,
      case when head <> '' then '@' || substr(name, length(head) + 1) end, '*')
    from (select name, rtrim(name, replace(name, '@', '')) as head from client)
    -- Older SQLite reads a name only up to its NUL.
    where not instr(login.json, '\\u0000') and not instr(name, char(65533))
      and (name not glob '*[^ -~]*' or exists (select 1 from access where user = name and not (${byHand('access')})))
  ),
  entries (rank, networks, network, ends) as (
    select subject.key, networks, case typeof(network) when 'text' then network else '' end, coalesce(
      case
        -- With a modifier, datetime() normalises: a text that changes by that (24:00, February 31) is not a time.
        when expires is null then 'never'
        when expires in (datetime(expires, '+0 days'), strftime('%Y-%m-%dT%H:%M:%SZ', expires, '+0 days')) then datetime(expires)
        when expires = date(expires, '+0 days') then datetime(expires, '+1 day')
      end, '')
    from networks cross join subjects cross join json_each(subjects) as subject cross join access
    where user = subject.value or (user = subject.value collate nocase and ${byHand('access')} and lower(user) = subject.value)
  ),
  effects (rank, blocks, inherits, grants) as (
    -- A time that cannot be read ends what an entry grants, but not a block.
    select rank,
      network like '%none%' and network not like '%@%' and (ends > datetime('now') or ends = ''),
      network = 'inherit' and ends > datetime('now'),
      case when ends <= datetime('now') then null
        when instr(networks, json_quote(network)) then network
        when network glob '@?*' then (
          select member.network from network_set as member
          where name = substr(entries.network, 2) and '@' || name = entries.network
            and member.network in (select value from json_each(networks))
            and (name not glob '*[^ -~]*' or not (${byHand('network_set')}))
          limit 1) end
    from entries
  )
  select case when max(blocks) then null else replace(max(grants), 'any', '0.0.0.0/0,::/0') end
  from effects group by rank having max(blocks) or max(grants) is not null or not max(inherits)
  order by rank limit 1
) end)) as verdict
where login.key = 0 and verdict.value is not null;
`;
