// Parses published lists of networks. The content tells the format: a network or range per line, FIRST,LAST,COUNTRY in
// CSV, the RIR statistics exchange format of the regional registries, or JSON that contains networks.
import { isRefusal, type Refusal, readNetwork } from '../cli/input';
import { Trouble } from '../failure';
import { parseNetwork } from '../rules/network';
import { parseRange, type Range, rangeBetween, rangeFrom, rangeOfNetwork } from '../rules/range';
import { splitQuotedFields } from './delimited';
import { jsonRanges } from './json-networks';
import type { Lines } from './lines';
import type { Problems } from './read';

/** `country`: null if the list has no countries, empty for addresses without a country. */
interface Entry {
  readonly range: Range;
  readonly country: string | null;
}

const COUNTRY = /^[A-Z]{2}$/;
const TWO_LETTERS = 'a country has two letters, as in ISO 3166: --country JP';

/**
 * The ranges of a list. `countries`: only these, in upper case. What is wrong in a line goes to `problems`. Throws
 * Trouble.
 */
export function rangesOf(lines: Lines, countries: readonly string[], problems: Problems): Range[] {
  const seen = new Set<string>();
  const ranges: Range[] = [];
  const wrong = countries.find((country) => !COUNTRY.test(country));
  if (wrong !== undefined) throw refused(`${JSON.stringify(wrong)} is not a country`, TWO_LETTERS);
  for (const entry of /^\s*[[{]/.test(lines.first)
    ? jsonRanges(lines).map((range) => ({ range, country: null }))
    : lineEntries(lines, problems)) {
    if (entry.country !== null) seen.add(entry.country);
    if (entry.country === null || countries.includes(entry.country)) ranges.push(entry.range);
  }
  if (problems.count > 0) return [];
  if (seen.size > 0 && countries.length === 0) {
    throw refused('the list has networks of several countries', 'choose some: --country CC, which may be repeated');
  }
  if (seen.size === 0 && countries.length > 0) {
    throw refused('the list has no column of countries', 'leave --country out');
  }
  const unknown = countries.find((country) => !seen.has(country));
  if (unknown === undefined) return ranges;
  throw refused(`the list has no country ${unknown}`, TWO_LETTERS);
}

function refused(problem: string, hint: string): Trouble {
  return new Trouble({ kind: 'refused', problem, hint });
}

function* lineEntries(lines: Lines, problems: Problems): Iterable<Entry> {
  for (const line of lines) {
    // A # or ; inside quotes does not start a comment.
    const content = line.replace(/^([^"]*?)(?:^|\s)[#;].*/s, '$1').trim();
    if (content === '' || isHeading(content)) continue;
    const entry = entryOf(content);
    if ('problem' in entry) problems.add(lines.number, entry);
    else yield entry;
  }
}

/** Whether it is a line of a registry's statistics file without a network: version, summary, AS number. */
function isHeading(line: string): boolean {
  return /^(?:[\d.]+\|\w+\|\d+\||\w+\|\*\||\w+\|[A-Z*]*\|asn\|)/.test(line);
}

function entryOf(line: string): Entry | Refusal {
  const entry = line.includes('|') ? statisticsEntry(line.split('|')) : countryEntry(line);
  if (entry !== null) return entry;
  const range = parseRange(line);
  if (range !== null) return { range, country: null };
  const read = readNetwork(line);
  if (isRefusal(read)) {
    const isSpelling = /^did you mean|^\S+ or /.test(read.hint);
    return { problem: read.problem, hint: isSpelling ? read.hint : likelyList(line) };
  }
  if (read.kind === 'network') return { range: rangeOfNetwork(line) as Range, country: null };
  return { problem: `${line} is not a network`, hint: 'a list holds networks, addresses and ranges' };
}

/** Parses registry|CC|ipv4|start|count|date|status (ipv6: prefix length instead of count). Null for other lines. */
function statisticsEntry([, country = '', type, start = '', size = '']: readonly string[]): Entry | null {
  if (!/^\d{1,10}$/.test(size)) return null;
  const range =
    type === 'ipv4' ? rangeFrom(start, BigInt(size)) : type === 'ipv6' ? rangeOfNetwork(`${start}/${size}`) : null;
  return range === null ? null : { range, country: country === 'ZZ' ? '' : country };
}

const CONTINENT = /^(?:AF|AN|AS|EU|NA|OC|SA|ZZ)$/;

/** Parses FIRST,LAST,COUNTRY,... or FIRST,LAST,CONTINENT,COUNTRY,... (db-ip by city). Null for other lines. */
function countryEntry(line: string): Entry | Refusal | null {
  const fields = splitQuotedFields(line, ',');
  if (!Array.isArray(fields) || fields.length < 3) return null;
  const [first = '', last = '', third = '', fourth = ''] = fields.map((field) => field.trim());
  const range = rangeBetween(first, last) ?? numberedRange(first, last);
  if (range === null) return null;
  const country = CONTINENT.test(third) && COUNTRY.test(fourth) ? fourth : third.toUpperCase();
  // IP2Location writes - for addresses without a country.
  if (/^(?:-|ZZ)?$/.test(country)) return { range, country: '' };
  if (COUNTRY.test(country)) return { range, country };
  return { problem: `${third} is not a country`, hint: 'a line is FIRST,LAST,COUNTRY, the country in two letters' };
}

/** The end of the first range of IP2Location, 0.255.255.255. Smaller numbers are not addresses. */
const LEAST = 0xff_ffffn;

/** Parses the addresses of IP2Location, which are numbers. In its IPv6 lists, IPv4 addresses are IPv4-mapped. */
function numberedRange(first: string, last: string): Range | null {
  if (!/^\d{1,39}$/.test(first) || !/^\d{1,39}$/.test(last)) return null;
  const [from, to] = [BigInt(first), BigInt(last)];
  const mapped = 0xffff_0000_0000n;
  if (from > to || to < LEAST || to >= 1n << 128n) return null;
  if (to < 1n << 32n) return { family: 4, first: from, last: to };
  if (from < mapped || to >= mapped + (1n << 32n)) return { family: 6, first: from, last: to };
  return { family: 4, first: from - mapped, last: to - mapped };
}

/** The hint for a line that is not a network. */
function likelyList(line: string): string {
  const [first = '', second = ''] = line.split(/[\s,;]+/);
  if (/^user\b/i.test(line) || (/^[^\s,;]+[,;\t]/.test(line) && parseNetwork(first) === null && parseNetwork(second))) {
    return 'a list of users goes in with: allow-nets import FILE';
  }
  if (/^"?network"?,/.test(line) || /^\S+\/\d+"?,[^,/]*,/.test(line)) {
    return "keep the networks of a country: grep ',CODE,' FILE | cut -d, -f1, and a pipe into set load NAME -";
  }
  if (/^[a-z_"]+(?:[,;\t][a-z_" ]+)+$/i.test(line)) return 'leave the header line out: tail -n +2 FILE';
  return 'a line is one network, or a range FIRST - LAST';
}
