// Published lists of networks, told apart by what they hold: networks or ranges a line, START,END,COUNTRY in CSV, statistics files of the
// regional registries (RIR statistics exchange format), and JSON with networks in it.
//
// DIAGNOSTICS: a line that is none of these is an error with its number; nothing of the list is used then.
import { Trouble } from '../failure';
import { parseRange, type Range, rangeBetween, rangeFrom, rangeOfNetwork } from '../rules/range';

export interface NetworkList {
  readonly ranges: readonly Range[];
  /** Whether the lines name countries. */
  readonly hasCountries: boolean;
}

/** `countries`: only lines of these, in upper case. Throws Trouble. */
export function parseNetworkList(text: string, countries: readonly string[]): NetworkList {
  if (/^\s*<(?:!doctype|html|\?xml)/i.test(text)) {
    throw refused('this is an HTML or XML page', 'it may be an error page that curl saved: curl --fail');
  }
  const list = /^\s*[[{]/.test(text) ? jsonList(text) : lineList(text, countries);
  if (list.hasCountries && countries.length === 0) {
    throw refused('the list has networks of several countries', 'choose some: --country CC, which may be repeated');
  }
  if (!list.hasCountries && countries.length > 0) {
    throw refused('the list has no column of countries', 'leave --country out');
  }
  return list;
}

function jsonList(text: string): NetworkList {
  const ranges: Range[] = [];
  const visit = (value: unknown): void => {
    if (typeof value === 'string') {
      const range = value.includes('/') ? rangeOfNetwork(value) : null;
      if (range !== null) ranges.push(range);
    } else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit);
  };
  try {
    visit(JSON.parse(text));
  } catch (error) {
    throw refused(`this is not JSON: ${(error as Error).message}`, 'was it cut off? Fetch it again');
  }
  return { ranges, hasCountries: false };
}

function lineList(text: string, countries: readonly string[]): NetworkList {
  const ranges: Range[] = [];
  const seen = new Set<string>();
  let hasCountries = false;
  for (const [i, line] of text.split('\n').entries()) {
    const content = line.replace(/(?:^|\s)[#;].*/, '').trim();
    const entry = content === '' || isHeading(content) ? null : parseLine(content);
    if (entry === undefined) {
      throw refused(
        `line ${i + 1}: ${JSON.stringify(content.slice(0, 80))} is not a network`,
        'a line is a network, or a range FIRST - LAST; nothing was changed',
      );
    }
    if (entry === null) continue;
    if (entry.country !== null) {
      hasCountries = true;
      seen.add(entry.country);
      if (!countries.includes(entry.country)) continue;
    }
    ranges.push(entry.range);
  }
  const unknown = hasCountries ? countries.find((country) => !seen.has(country)) : undefined;
  if (unknown === undefined) return { ranges, hasCountries };
  throw refused(`the list has no country ${unknown}`, 'a country has two letters, as in ISO 3166: --country JP');
}

/** Lines of a registry's statistics file that are no networks: version, summary, AS numbers; comments of Spamhaus and others. */
function isHeading(line: string): boolean {
  return /^(?:[\d.]+\|\w+\|\d+\||\w+\|\*\||\w+\|[A-Z*]*\|asn\|)/.test(line);
}

interface Entry {
  readonly range: Range;
  readonly country: string | null;
}

/** Undefined: it is none. Null: a registry's addresses that no country has. */
function parseLine(line: string): Entry | null | undefined {
  if (line.includes('|')) return parseStatistics(line.split('|'));
  const fields = line.split(',').map((field) => field.trim().replace(/^"(.*)"$/, '$1'));
  const [first = '', second = '', country] = fields;
  const range = fields.length < 3 ? undefined : (rangeBetween(first, second) ?? numbered(first, second));
  if (range !== undefined) return range === null ? undefined : { range, country: (country ?? '').toUpperCase() };
  const single = rangeOfNetwork(line) ?? parseRange(line);
  return single === null ? undefined : { range: single, country: null };
}

/** IP2Location writes IPv4 addresses as numbers. */
function numbered(first: string, second: string): Range | null {
  const [from, to] = [first, second].map((field) => (/^\d{1,10}$/.test(field) ? BigInt(field) : null));
  if (from === null || to === null || from === undefined || to === undefined) return null;
  return from <= to && to < 1n << 32n ? { family: 4, first: from, last: to } : null;
}

/** registry|CC|ipv4|start|count|date|status, and for ipv6 the prefix length in place of the count. */
function parseStatistics([, country = '', type, start = '', size = '']: readonly string[]): Entry | null | undefined {
  if (!/^\d{1,10}$/.test(size)) return undefined;
  const range =
    type === 'ipv4' ? rangeFrom(start, BigInt(size)) : type === 'ipv6' ? rangeOfNetwork(`${start}/${size}`) : null;
  if (range === null) return undefined;
  // Addresses that are available or reserved.
  return country === '' || country === 'ZZ' ? null : { range, country };
}

function refused(problem: string, hint: string): Trouble {
  return new Trouble({ kind: 'refused', problem, hint });
}
