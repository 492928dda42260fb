// Formats a verdict as one line for the mail log: key=value pairs, with all text from the request escaped.
import { unreachable } from '../failure';
import type { Entry } from '../rules/subject';
import type { Verdict } from './decide';
import type { Request } from './request';

/** postlog or syslog would truncate longer lines. */
const LONGEST_LINE = 1900;

/** `all`: also log the attributes of the request. */
export function logLine(verdict: Verdict, request: Request, all: boolean): string {
  const pairs = [...verdictPairs(verdict, request), ...clientPairs(verdict, request)];
  const words = pairs.map(([name, value]) => `${name}=${quoted(value)}`);
  if (all) {
    for (const [name, value] of request.attributes) {
      words.push(`request.${quoted(name, /^[a-z_0-9]+$/)}=${quoted(value)}`);
    }
  }
  return words.join(' ').slice(0, LONGEST_LINE);
}

type Pairs = [name: string, value: string][];

function verdictPairs(verdict: Verdict, { user, address }: Request): Pairs {
  const who: Pairs = [
    ['user', user],
    ['address', address],
  ];
  switch (verdict.kind) {
    case 'no-user':
      return [['verdict', 'dunno'], ...who, ['reason', 'no-user']];
    case 'allowed':
      return [['verdict', 'dunno'], ...who, ['subject', verdict.subject], ['entry', entryText(verdict.entry)]];
    case 'refused':
      return [
        ['verdict', 'reject'],
        ...who,
        ['subject', verdict.subject ?? ''],
        ['entry', entryText(verdict.entry)],
        ['reason', verdict.why],
      ];
    default:
      return unreachable(verdict);
  }
}

/**
 * Details of a refused client, to help find it in the log. There is no queue ID before the first accepted recipient.
 */
function clientPairs(verdict: Verdict, { attributes }: Request): Pairs {
  if (verdict.kind !== 'refused') return [];
  const queue = attributes.get('queue_id') ? 'queue_id' : 'instance';
  const names = ['client_name', 'helo_name', queue];
  return names.flatMap((name): Pairs => {
    const value = attributes.get(name);
    return value === undefined ? [] : [[name, value]];
  });
}

function entryText(entry: Entry | null): string {
  if (entry === null) return '';
  return entry.set === null ? entry.network : `@${entry.set}:${entry.network}`;
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
