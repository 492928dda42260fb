// Formats a verdict as one line for the mail log: key=value pairs, with all text from the request escaped.

import type { Entry } from '../rules/lookup';
import type { Verdict } from './decide';
import type { Request } from './protocol';

/** postlog or syslog would truncate longer lines. */
const LONGEST_LINE = 1900;

/** `all`: also log the attributes of the request. */
export function logLine(verdict: Verdict, request: Request, all: boolean): string {
  const words = pairsOf(verdict, request).map(([name, value]) => `${name}=${quoted(value)}`);
  if (all) {
    for (const [name, value] of request.attributes) {
      words.push(`request.${quoted(name, /^[a-z_0-9]+$/)}=${quoted(value)}`);
    }
  }
  return words.join(' ').slice(0, LONGEST_LINE);
}

function pairsOf(verdict: Verdict, { user, address, attributes }: Request): [name: string, value: string][] {
  const firstPairs = (word: 'dunno' | 'reject'): [string, string][] => [
    ['verdict', word],
    ['user', user],
    ['address', address],
  ];
  if (verdict.kind === 'no-user') return [...firstPairs('dunno'), ['reason', 'no-user']];
  const { subject, entry } = verdict;
  const rule: [string, string][] = [
    ['subject', subject ?? ''],
    ['entry', entry === null ? '' : entryText(entry)],
  ];
  if (verdict.kind === 'allowed') return [...firstPairs('dunno'), ...rule];
  // These help to find a refused client in the log. There is no queue ID before the first accepted recipient.
  const names = ['client_name', 'helo_name', attributes.get('queue_id') ? 'queue_id' : 'instance'];
  const client = names.map((name): [string, string | undefined] => [name, attributes.get(name)]);
  const known = client.filter((pair): pair is [string, string] => pair[1] !== undefined);
  return [...firstPairs('reject'), ...rule, ['reason', verdict.why], ...known];
}

function entryText({ set, network }: Entry): string {
  return set === null ? network : `@${set}:${network}`;
}

/** A plain value unchanged, any other as an ASCII JSON string. */
function quoted(value: string, plain = /^[!#-[\]-~]*$/): string {
  const short = value.length > 255 ? `${value.slice(0, 255)}...` : value;
  if (plain.test(short)) return short;
  return JSON.stringify(short).replace(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
