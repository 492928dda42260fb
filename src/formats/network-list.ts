// Parses published lists of networks. A list is JSON that contains networks, or text, where each line may be a network, a
// range, FIRST,LAST,COUNTRY or a geofeed in CSV, or a line of a registry's statistics file.

import { likelyNetwork, parseNetworkArgument } from '../cli/input';
import { hint } from '../cli/output';
import { parseRange, type Range, rangeBetween, rangeOfNetwork } from '../cli/range';
import { refusal, wrongUsage } from '../failure';
import { parseNetwork } from '../rules/network';
import { separatorOf, splitFields } from './delimited';
import { jsonValues } from './json';
import { type Lines, LONGEST_JSON } from './lines';
import { checkLine } from './looks';
import type { Report } from './report';
import { Statistics } from './statistics';

/** `country`: null if the list has no countries. */
export interface ListEntry {
  readonly range: Range;
  readonly country: string | null;
}

export interface ListOptions {
  /** Only the networks of these, in upper case. */
  readonly countries: readonly string[];
  /** Whether to accept a list that is cut off. */
  readonly force: boolean;
}

/** The ranges of a list. What is wrong in a line goes to `report`. Throws Trouble. */
export function rangesOf(lines: Lines, { countries, force }: ListOptions, report: Report): Range[] {
  const seen = new Set<string>();
  const ranges: Range[] = [];
  let isPlain = false;
  for (const { range, country } of lines.isJson ? jsonEntries(lines, report) : lineEntries(lines, force, report)) {
    if (country === null) isPlain = true;
    else seen.add(country);
    if (country === null || countries.includes(country)) ranges.push(range);
  }
  // `load` refuses an empty list. Nothing is known of its columns.
  const isEmpty = !isPlain && seen.size === 0;
  if (report.count > 0 || isEmpty) return [];
  if (isPlain && seen.size > 0) throw refusal('only some lines of the list have a country', 'load them into two sets');
  if (seen.size > 0 && countries.length === 0) {
    throw refusal('the list has networks of several countries', 'choose some: --country CC, which may be repeated');
  }
  const unknown = countries.find((country) => !seen.has(country));
  if (unknown === undefined) return ranges;
  if (seen.size === 0) throw refusal('the list has no column of countries', 'leave --country out');
  throw refusal(`the list has no country ${unknown}`, 'a country has two letters, as in ISO 3166: --country JP');
}

/** The range of every string that is a network with a `/`. An address without one may be a netmask or something else. */
function jsonEntries(lines: Lines, report: Report): ListEntry[] {
  const entries: ListEntry[] = [];
  let addresses = 0;
  const visit = (value: unknown, isListed: boolean): void => {
    if (typeof value === 'object' && value !== null) {
      for (const each of Object.values(value)) visit(each, Array.isArray(value));
    }
    if (typeof value !== 'string' || parseNetwork(value) === null) return;
    if (value.includes('/')) entries.push(networkEntry(value, null));
    else addresses += Number(isListed);
  };
  for (const { line, value } of jsonValues(lines, LONGEST_JSON, report)) report.attempt(line, () => visit(value, true));
  if (addresses > 0) hint(`left out addresses without a /: ${addresses}; in a text list, one a line, they are read`);
  return entries;
}

/** A line that is a comment, or one that ends with it. A ; before an address separates fields. */
const COMMENT = /^(?:[#;].*|([^"]*?)\s(?:#|;(?!\s*[\da-f]+[.:])).*)$/is;

function* lineEntries(lines: Lines, force: boolean, report: Report): Iterable<ListEntry> {
  const statistics = new Statistics();
  for (const line of lines) {
    const content = line.trim().replace(COMMENT, '$1').trim();
    if (content === '') continue;
    const entry = report.attempt(lines.number, () => {
      const separator = separatorOf(content);
      const split = splitFields(content, { separator, quotes: true });
      const fields = split === 'open' ? [content] : split.map((field) => (field ?? '').trim());
      return separator === '|' && fields.length > 5 ? statistics.entryOf(fields) : entryOf(fields, content);
    });
    if (entry !== null) yield entry;
  }
  if (!force && report.count === 0) statistics.checkCounts();
}

const COUNTRY = /^[A-Z]{2}$/;
const CONTINENT = /^(?:AF|AN|AS|EU|NA|OC|SA)$/;
/** In IP2Location, in other lists. */
const NO_COUNTRY = /^(?:-|ZZ)?$/;

/** The entry of a line, or null if it has no country. Throws Trouble. */
function entryOf(fields: readonly string[], line: string): ListEntry | null {
  const [first = '', second = '', third = '', fourth = ''] = fields;
  if (fields.length === 1) {
    const range = parseRange(first);
    // mynetworks of Postfix has IPv6 addresses in brackets.
    return range === null ? networkEntry(first.replace(/^\[(.*?)\]/, '$1'), null) : { range, country: null };
  }
  const range = fields.length > 2 ? (rangeBetween(first, second) ?? numberedRange(first, second)) : null;
  if (range !== null) {
    // db-ip by city has the continent before the country.
    const country = (CONTINENT.test(third) && COUNTRY.test(fourth) ? fourth : third).toUpperCase();
    if (NO_COUNTRY.test(country)) return null;
    if (!COUNTRY.test(country)) throw wrongUsage(`${third} is not a country`, RANGE);
    return { range, country };
  }
  // A geofeed (RFC 8805) is NETWORK,COUNTRY,REGION,CITY,POSTAL. Without a country, other lists have empty fields, too.
  if (parseNetwork(first) !== null && COUNTRY.test(second.toUpperCase())) {
    return networkEntry(first, second.toUpperCase());
  }
  if (parseNetwork(first) !== null && second === '' && fields.length === 5) return null;
  checkLine(line);
  throw wrongUsage(`${line} is not a network`, likelyList(fields));
}

const RANGE = 'a line is one network, a range FIRST - LAST, or FIRST,LAST,COUNTRY with two letters';

function networkEntry(text: string, country: string | null): ListEntry {
  try {
    const meaning = parseNetworkArgument(text, 'network_set');
    if (meaning.kind === 'network') return { range: rangeOfNetwork(meaning.network), country };
  } catch (error) {
    // A network in another program's spelling, or with host bits: the error has the right one.
    if (likelyNetwork(text) !== null) throw error;
  }
  checkLine(text);
  throw wrongUsage(`${text} is not a network`, RANGE);
}

/** The hint for a line of several fields. */
function likelyList(fields: readonly string[]): string {
  const [first, second] = fields.map((field) => parseNetwork(field) !== null);
  if (first && second) return "networks stand one a line: tr -s ', ' '\\n\\n' < FILE, and a pipe into set load NAME -";
  if (first) return "keep the networks of a country: grep ',CODE,' FILE | cut -d, -f1, and a pipe into set load NAME -";
  if (second) return 'a list of users goes in with: allow-nets import FILE';
  return fields.every((field) => /^[a-z_ ]*$/i.test(field)) ? 'leave the header line out: tail -n +2 FILE' : RANGE;
}

/** The end of the first range of IP2Location, 0.255.255.255. Smaller numbers are not addresses. */
const LEAST = 0xff_ffffn;

/** Parses the addresses of IP2Location, which are numbers. In its IPv6 lists, IPv4 addresses are IPv4-mapped. */
function numberedRange(first: string, last: string): Range | null {
  if (!/^\d{1,39}$/.test(first) || !/^\d{1,39}$/.test(last)) return null;
  const from = BigInt(first);
  const to = BigInt(last);
  const mapped = 0xffff_0000_0000n;
  if (from > to || to < LEAST || to >= 1n << 128n) return null;
  if (to < 1n << 32n) return { family: 4, first: from, last: to };
  if (from < mapped || to >= mapped + (1n << 32n)) return { family: 6, first: from, last: to };
  return { family: 4, first: from - mapped, last: to - mapped };
}
