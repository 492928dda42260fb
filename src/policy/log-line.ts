// A verdict as one line for the mail log: key=value pairs, nothing of a request unescaped.
import { unreachable } from '../failure';
import type { Asked, Verdict } from './decide';
import type { Request } from './request';

/** Longer lines would be cut by postlog or syslog. */
const LONGEST_LINE = 1900;

/** `attributes`: whether the attributes that came in are logged too. */
export function logLine(verdict: Verdict, request: Request, attributes: boolean): string {
  const pairs: [string, string][] = [...verdictPairs(verdict, request)];
  const words = pairs.map(([name, value]) => `${name}=${quoted(value)}`);
  if (attributes) words.push(...attributeWords(request.text));
  return words.join(' ').slice(0, LONGEST_LINE);
}

function verdictPairs(verdict: Verdict, asked: Asked): [string, string][] {
  const who: [string, string][] = [
    ['user', asked.user],
    ['address', asked.address],
  ];
  switch (verdict.kind) {
    case 'no-user':
      return [['verdict', 'dunno'], ...who, ['reason', 'no-user']];
    case 'allowed':
      return [
        ['verdict', 'dunno'],
        ...who,
        ['subject', verdict.subject],
        ['entry', entryText(verdict.entry)],
      ];
    case 'refused':
      return [
        ['verdict', 'reject'],
        ...who,
        ['subject', verdict.subject ?? ''],
        ['entry', verdict.entry === null ? '' : entryText(verdict.entry)],
        ['reason', verdict.why],
      ];
    default:
      return unreachable(verdict);
  }
}

function entryText(entry: { network: string; set: string | null }): string {
  return entry.set === null ? entry.network : `@${entry.set}:${entry.network}`;
}

function attributeWords(text: string): string[] {
  const lines = text.split('\n').filter((line) => line !== '' && line !== '\r');
  return lines.map((line) => {
    const equals = line.indexOf('=');
    const value = line.slice(equals + 1).replace(/\r$/, '');
    return `request.${quoted(line.slice(0, equals), /^[a-z_0-9]+$/)}=${quoted(value)}`;
  });
}

/** As it is when it can be mistaken for nothing else, otherwise a JSON string of ASCII. */
function quoted(value: string, plain = /^[!#-[\]-~]*$/): string {
  const short = value.length > 255 ? `${value.slice(0, 255)}...` : value;
  if (plain.test(short)) return short;
  return JSON.stringify(short).replace(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
