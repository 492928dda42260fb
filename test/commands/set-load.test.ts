// set load: each form of list, and what is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newDatabase, query } from '../rig/database';
import { run } from '../rig/run';

const RIR =
  '2|apnic|20260101|3|19830613|20260101|+1000\napnic|*|asn|*|1|summary\napnic|*|ipv4|*|2|summary\napnic|*|ipv6|*|1|summary\n' +
  'apnic|JP|asn|173|1|20020801|allocated\napnic|JP|ipv4|1.0.16.0|768|20110412|allocated\napnic|CN|ipv4|1.0.1.0|256|20110414|allocated\napnic|JP|ipv6|2001:200::|35|19990813|allocated\n';
/** Cut at the end of a line. */
const CUT = RIR.slice(0, RIR.indexOf('apnic|JP|ipv6'));
const OTHER = RIR.replaceAll('apnic', 'ripencc')
  .replaceAll('JP', 'DE')
  .replaceAll('|1.0', '|2.0')
  .replace('2001:200', '2001:300');

// biome-ignore format: a case a line
const CASES: [what: string, input: string | Buffer, options: string[], expected: string[] | RegExp][] = [
  ['networks, comments, neighbours', '\ufeff# zone\r\n192.0.2.0/25 ; SBL1\r\n192.0.2.128/25\r\n\r\n192.0.2.7\r\n', [], ['192.0.2.0/24']],
  ['ranges', '198.51.100.7 - 198.51.100.20\n', [], ['198.51.100.16/30', '198.51.100.20/32', '198.51.100.7/32', '198.51.100.8/29']],
  ['CSV with countries', '"1.0.0.0","1.0.0.255","AU"\n"2.0.0.0","2.0.0.255","FR"\n2001:db8::,2001:db8::ffff,FR\n', ['--country', 'fr'], ['2.0.0.0/24', '2001:db8::/112']],
  ['a registry', RIR, ['--country', 'JP'], ['1.0.16.0/23', '1.0.18.0/24', '2001:200::/35']],
  ['a registry, two countries', RIR, ['--country', 'JP', '--country', 'CN'], ['1.0.1.0/24', '1.0.16.0/23', '1.0.18.0/24', '2001:200::/35']],
  ['two registries', OTHER + RIR, ['--country', 'DE'], ['2.0.16.0/23', '2.0.18.0/24', '2001:300::/35']],
  ['a registry without a summary', CUT.replace(/^.*(?:summary|1000)\n/gm, ''), ['--country', 'JP'], ['1.0.16.0/23', '1.0.18.0/24']],
  ['a registry cut at the end of a line', CUT, ['--country', 'JP'], /cut off: a statistics file has 3 of the 4 records of its summary\n.*--force/],
  ['the first of two registries cut', CUT + OTHER, ['--country', 'JP'], /cut off: a statistics file has 3 of the 4 records/],
  ['a registry cut, by force', CUT, ['--country', 'JP', '--force'], ['1.0.16.0/23', '1.0.18.0/24']],
  ['a registry cut in a line, and another one', RIR.slice(0, RIR.indexOf('68|')) + OTHER, ['--country', 'JP'], /line 6: .* is not a network/],
  ['a geofeed', '# geofeed\n192.0.2.0/24,US,US-AL,Alabaster,\n198.51.100.0/24,,,,\n2001:db8::/32,PL,PL-MZ,,\n', ['--country', 'US', '--country', 'PL'], ['192.0.2.0/24', '2001:db8::/32']],
  ['networks with a country', '192.0.2.0/24,us\n198.51.100.0/24,PL\n', ['--country', 'US'], ['192.0.2.0/24']],
  ['a network without a country among others', '192.0.2.0/24,US\n198.51.100.0/24\n', ['--country', 'US'], /only some lines of the list have a country/],
  ['networks with empty fields', '192.0.2.0/24,,\n198.51.100.0/24\n', [], /line 1: 192.0.2.0\/24,, is not a network/],
  ['Excel', '\ufeff1.0.0.0;1.0.0.255;AU\r\n"2.0.0.0";"2.0.0.255";"FR"\r\n', ['--country', 'AU', '--country', 'FR'], ['1.0.0.0/24', '2.0.0.0/24']],
  ['one column of Excel', '"192.0.2.0/24"\r\n"198.51.100.7"\r\n', [], ['192.0.2.0/24', '198.51.100.7/32']],
  ['mynetworks of Postfix', '[::1]/128\n127.0.0.0/8\n[2001:db8::]/32\n', [], ['127.0.0.0/8', '2001:db8::/32', '::1/128']],
  ['JSON', '{"prefixes":[{"ip_prefix":"192.0.2.0/24","service":"S3"},{"ipv6Prefix":"2001:db8::/32"}],"version":"1.2.3.4"}', [], ['192.0.2.0/24', '2001:db8::/32']],
  ['JSON lines', '{"cidr":"192.0.2.0/24","rir":"x"}\n{"cidr":"198.51.100.0/24"}\n{"type":"metadata","records":2}\n', [], ['192.0.2.0/24', '198.51.100.0/24']],
  ['masks in JSON', '{"items":[{"network":"192.0.2.0","cidr":"192.0.2.0/25","mask":"255.255.255.128"}]}', [], ['192.0.2.0/25']],
  ['continents before countries', '192.0.2.0,192.0.2.255,AS,AF,Kabul\n10.0.0.0,10.0.0.255,AF,ZA,"Land, X"\n', ['--country', 'AF'], ['192.0.2.0/24']],
  ['countries with names', '192.0.2.0,192.0.2.255,AU,"Australia, #1"\n', ['--country', 'AU'], ['192.0.2.0/24']],
  ['IPv4 as numbers', '"0","16777215","-","-"\n"16777216","16777471","US","United States"\n', ['--country', 'US'], ['1.0.0.0/24']],
  ['IPv6 as numbers', '"0","281470681743359","-","-"\n"281470698520576","281470698520831","CN","x"\n"42540528726795050063891204319802818560","42540528806023212578155541913346768895","JP","x"\n',
    ['--country', 'CN', '--country', 'JP'], ['1.0.0.0/24', '2001:200::/32']],
  ['addresses that no country has', 'apnic||ipv4|10.0.0.0|256||available|\napnic|ZZ|ipv4|10.0.1.0|256||reserved|\napnic|JP|ipv4|192.0.2.0|256|20110412|allocated|x\n', ['--country', 'JP'], ['192.0.2.0/24']],
  ['numbers for countries', '1.0.0.0,1.0.0.255,13335,"Cloudflare, Inc."\n', ['--country', 'US'], /13335 is not a country/],
  ['a list of addresses', '192.0.2.4,192.0.2.9,192.0.2.12\n', [], /192.0.2.12 is not a country/],
  ['GeoLite2', 'network,geoname_id,registered\n1.0.0.0/24,2077456,2077456\n', [], /a list of GeoLite2.*\n.*grep ',NUMBER,' FILE \| cut -d, -f1/],
  ['GeoLite2 without its header', '1.0.0.0/24,2077456,2077456\n', [], /is not a network\n.*grep ',CODE,' FILE \| cut -d, -f1/],
  ['fields with blanks before ;', '1.0.0.0 ; 1.0.0.255 ; AU\n', [], /is not a network/],
  ['several networks in a line', '127.0.0.0/8, 192.0.2.0/24\n', [], /is not a network\n.*tr -s/],
  ['a header', 'start_ip,end_ip,country\n1.0.0.0,1.0.0.255,AU\n', ['--country', 'AU'], /leave the header line out/],
  ['users', 'alice,10.0.0.0/8\n', [], /allow-nets import FILE/],
  ['host bits', '10.1.2.3/8\n', [], /10.1.2.3\/8 is not the first address of its network\n.*10.0.0.0\/8 or 10.1.2.3\/32/],
  ['host bits in JSON', '["10.0.0.0/8",\n"10.1.2.3/8"]', [], /line 2: 10.1.2.3\/8 is not the first address of its network/],
  ['a misplaced quote', '10.0.0.0,10.0.0.255, "DE"\n', ['--country', 'DE'], /line 1: there is a blank before a quote/],
  ['a table of Postfix', '192.0.2.0/24 OK\n192.0.2.128/25 REJECT\n', [], /192.0.2.0\/24 OK is not a network/],
  ['an exception', '192.0.2.0/24\n!192.0.2.5\n', [], /line 2: !192.0.2.5 is not a network/],
  ['two files without a line break between', '131.0.72.0/222400:cb00::/32\n', [], /is not a network/],
  ['addresses in JSON', '{"hooks":["192.0.2.1","192.0.2.2"]}', [], /left out addresses without a \/: 2[\s\S]*the input has no network/],
  ['JSON cut off', '{"prefixes":[{"ip_prefix":"192.0.2.0/24"},{"ip_pre', [], /not JSON, or it is cut off/],
  ['an error in JSON', '{"message":"API rate limit exceeded"}', [], /the input has no network/],
  ['CR alone', '192.0.2.0/24\r10.0.0.0/8\r', [], /end in CR alone/],
  ['UTF-16', Buffer.from('\ufeff192.0.2.0/24\n', 'utf16le'), [], /iconv -f utf-16le/],
  ['gzip', Buffer.from([0x1f, 0x8b, 8, 0]), [], /compressed by gzip/],
  ['countries and none chosen', RIR, [], /networks of several countries\n.*--country/],
  ['an empty country', '10.0.0.0,10.0.0.255,\n192.0.2.0,192.0.2.255,FR\n', ['--country', ''], /the list has no country \n.*two letters/],
  ['numbers that count something', '12,34,US\n', ['--country', 'US'], /12,34,US is not a network/],
  ['an unknown country', RIR, ['--country', 'XX'], /the list has no country XX/],
  ['a line that is none', '192.0.2.0/24\n10.0.0.300\n', [], /line 2: 10.0.0.300 is not a network/],
  ['HTML', '<html><body>404</body></html>\n', [], /HTML or XML page/],
  ['nothing', '# none\n', [], /the input has no network/],
  ['nothing, of a country', '# none\n', ['--country', 'JP'], /error: the input has no network\n/],
  ['an error in JSON, of a country', '{"message":"Not Found"}', ['--country', 'JP'], /error: the input has no network\n/],
  ['an empty input, of a country', '', ['--country', 'JP'], /error: the input is empty\n/],
  ['nothing, of a country, with --force', '# none\n', ['--country', 'JP', '--force'], []],
  ['cut off', '192.0.2.0/24\n128.0.0.0/1', [], /the input is incomplete/],
];

function networks(db: string): string[] {
  return query(db, "select name || ' ' || network from network_set order by name, network") as string[];
}

test('set load takes a list of networks, or says what it is instead', async (t) => {
  for (const [what, input, options, expected] of CASES) {
    await t.test(what, () => {
      const db = newDatabase();
      const { status, stdout, stderr } = run(['set', 'load', 'home', '-', ...options, '--db', db], { input });
      if (expected instanceof RegExp) {
        assert.deepEqual([status, networks(db)], [1, []]);
        assert.match(stderr, expected);
        return;
      }
      assert.deepEqual([status, stderr], [0, '']);
      assert.equal(stdout, `added ${expected.length}, changed 0, removed 0, unchanged 0\n`);
      const held = expected.map((network) => `home ${network}`);
      assert.deepEqual(networks(db), held);
    });
  }
});

test('a network that is a large part of the Internet is loaded with a hint', () => {
  const load = (input: string) => run(['set', 'load', 'home', '-', '--db', newDatabase()], { input });
  for (const [input, wide] of [
    ['192.0.2.0/24\n0.0.0.0/0\n', ['0.0.0.0/0']],
    ['::/0\n', ['::/0']],
    ['0.0.0.0/1\n128.0.0.0/1\n2000::/15\n', ['0.0.0.0/0', '2000::/15']],
    ['10.0.0.0/8\n2001::/16\n', []],
  ] as const) {
    const { status, stderr } = load(input);
    const hints = wide.map(
      (network) => `allow-nets: hint: ${network} is a large part of the Internet; is it meant to be in the list?\n`,
    );
    assert.deepEqual([status, stderr], [0, hints.join('')]);
  }
});

test('random ranges: the set holds exactly their addresses, in the fewest networks', () => {
  const db = newDatabase();
  const address = (n: number) => `192.0.${2 + (n >> 8)}.${n & 255}`;
  const wanted = new Set<number>();
  const lines = Array.from({ length: 60 }, (_, i) => {
    const first = Math.floor(Math.random() * 500);
    const last = first + (i % 12);
    for (let n = first; n <= last; n++) wanted.add(n);
    return first === last ? `${address(first)}/32\n` : `${address(first)}-${address(last)}\n`;
  });
  const input = lines.join('');
  assert.equal(run(['set', 'load', 'home', '-', '--db', db], { input }).status, 0, input);
  const blocks = networks(db).map((text) => {
    const [, third, fourth, prefix] = /^home 192\.0\.(\d+)\.(\d+)\/(\d+)$/.exec(text)?.map(Number) ?? [];
    return { first: ((third ?? 0) - 2) * 256 + (fourth ?? 0), size: 2 ** (32 - (prefix ?? 0)) };
  });
  const held = blocks.flatMap(({ first, size }) => Array.from({ length: size }, (_, i) => first + i));
  assert.deepEqual(
    held.sort((a, b) => a - b),
    [...wanted].sort((a, b) => a - b),
    input,
  );
  for (const { first, size } of blocks) {
    const pair = first ^ size;
    assert.ok(!blocks.some((other) => other.first === pair && other.size === size), input);
  }
});

test('a set is replaced, other sets stay, and more than half needs --force', () => {
  const db = newDatabase();
  run(['set', 'add', 'other', '203.0.113.0/24', '--db', db]);
  const load = (input: string, ...options: string[]) =>
    run(['set', 'load', 'home', '-', ...options, '--db', db], { input });
  load('192.0.2.0/24\n198.51.100.0/24\n10.0.0.0/8\n');
  assert.equal(load('192.0.2.0/24\n10.0.0.0/8\n').stdout, 'added 0, changed 0, removed 1, unchanged 2\n');
  assert.match(load('172.16.0.0/12\n').stderr, /would remove 2 of 2 networks/);
  assert.equal(load('172.16.0.0/12\n', '--force').status, 0);
  assert.deepEqual(networks(db), ['home 172.16.0.0/12', 'other 203.0.113.0/24']);
});

test('a set of 100,000 networks is loaded in seconds', () => {
  const db = newDatabase();
  const input = Array.from(
    { length: 100_000 },
    (_, i) => `${10 + (i >> 15)}.${(i >> 7) & 255}.${(i & 127) * 2}.0/24\n`,
  ).join('');
  const begin = Date.now();
  assert.equal(
    run(['set', 'load', 'big', '-', '--db', db], { input }).stdout,
    'added 100000, changed 0, removed 0, unchanged 0\n',
  );
  assert.ok(Date.now() - begin < 30_000);
});
