// Our own `check_policy_service` in the text of a restriction list: finding it, writing it, changing its form, taking it out.
//
// All pure, and as edits of the file that the list stands in. What is written can be taken out again without a trace.
import type { Edit, Slice } from './config-text';
import { COMMA_OR_SPACE, type Token, tokensOf } from './tokens';

/** In which way a list asks the policy service. */
export interface Form {
  /** `{ unix:private/NAME, request_limit=1 }`: smtpd closes the connection after each reply (Postfix 3.0 and later). */
  readonly oneShot: boolean;
  /** `warn_if_reject` stands before it: refusals are logged and not carried out. */
  readonly trial: boolean;
}

export interface FoundCheck extends Form {
  readonly warn: Token | null;
  readonly keyword: Token;
  readonly target: Token;
  /** From the first to behind the last character of all of it. */
  readonly start: number;
  readonly end: number;
}

/** How a list is written: `compact` where no white space may stand, in a plain `-o name=value`. */
export type Style = 'spaced' | 'compact';

/** `service`: the name of one in `private/`, `inet:HOST:PORT`, or `inet:*:PORT` for whatever host. */
export function isCheckOf(service: string, target: string): boolean {
  const asked = (attributesOf(target)[0] ?? '').toLowerCase();
  if (service.startsWith('inet:*:')) return asked.startsWith('inet:') && portOf(asked) === portOf(service);
  if (service.startsWith('inet:')) return asked === service.toLowerCase();
  return new RegExp(`^unix:(.*/)?private/${service.replace(/[.]/g, '\\.')}$`).test(
    attributesOf(target)[0] ?? '',
  );
}

/** What stands behind the last colon: `inet:HOST:PORT`, `inet:[::1]:PORT`. */
export const portOf = (address: string) => address.slice(address.lastIndexOf(':') + 1);

/** The words in `{ unix:private/NAME, request_limit=1 }`, or the one word there is. */
export function attributesOf(target: string): string[] {
  const inside = target.startsWith('{') && target.endsWith('}') ? target.slice(1, -1) : target;
  return tokensOf(inside, COMMA_OR_SPACE).map(({ text }) => text);
}

export function isOneShot(target: string): boolean {
  return attributesOf(target).some((attribute) => /^request_limit\s*=\s*1$/.test(attribute));
}

/** Every check of the service in a list, in order. */
export function checksIn(list: string, service: string): FoundCheck[] {
  const tokens = tokensOf(list, COMMA_OR_SPACE);
  return tokens.flatMap((keyword, i) => {
    const target = tokens[i + 1];
    if (!/^check_policy_service$/i.test(keyword.text) || target === undefined) return [];
    if (!isCheckOf(service, target.text)) return [];
    const before = tokens[i - 1];
    const warn = before !== undefined && /^warn_if_reject$/i.test(before.text) ? before : null;
    const start = (warn ?? keyword).start;
    const form = { oneShot: isOneShot(target.text), trial: warn !== null };
    return [{ ...form, warn, keyword, target, start, end: target.end }];
  });
}

/** The words of a check in a list of its own. */
export function checkText(service: string, form: Form, style: Style): string {
  const space = style === 'spaced' ? ' ' : ',';
  const target = targetText([`unix:private/${service}`, ...(form.oneShot ? ['request_limit=1'] : [])], style);
  return [...(form.trial ? ['warn_if_reject'] : []), 'check_policy_service', target].join(space);
}

function targetText(attributes: readonly string[], style: Style): string {
  const [only = '', ...more] = attributes;
  if (more.length === 0) return only;
  return style === 'spaced' ? `{ ${attributes.join(', ')} }` : `{${attributes.join(',')}}`;
}

/** A check put before everything else in a list: on a line of its own where the list begins on one. */
export function insertion(file: string, list: Slice, service: string, form: Form, style: Style): Edit {
  const text = checkText(service, form, style);
  const place = list.at(0);
  if (list.text === '') return { start: place, end: place, text };
  const indent = /\n([ \t]+)$/.exec(file.slice(0, place))?.[1];
  const space = style === 'compact' ? '' : indent === undefined ? ' ' : `\n${indent}`;
  return { start: place, end: place, text: `${text},${space}` };
}

/** What gives a check that stands there another form; its other attributes stay. */
export function reshaping(list: Slice, check: FoundCheck, form: Form, style: Style): Edit[] {
  const edits: Edit[] = [];
  if (check.oneShot !== form.oneShot) {
    const kept = attributesOf(check.target.text).filter((word) => !/^request_limit\s*=/.test(word));
    const text = targetText([...kept, ...(form.oneShot ? ['request_limit=1'] : [])], style);
    edits.push({ start: list.at(check.target.start), end: list.at(check.target.end - 1) + 1, text });
  }
  if (form.trial && !check.trial) {
    const place = list.at(check.keyword.start);
    edits.push({ start: place, end: place, text: `warn_if_reject${style === 'spaced' ? ' ' : ','}` });
  } else if (check.warn !== null && !form.trial) {
    edits.push({ start: list.at(check.warn.start), end: list.at(check.keyword.start), text: '' });
  }
  return edits;
}

/** What takes a check out of a list, and with it the separator that joins it to what follows, or to what stands before. */
export function extraction(file: string, list: Slice, check: FoundCheck): Edit {
  const [start, end] = [list.at(check.start), list.at(check.end - 1) + 1];
  const tokens = tokensOf(list.text, COMMA_OR_SPACE);
  const next = tokens.find((token) => token.start >= check.end);
  const previous = tokens.findLast((token) => token.end <= check.start);
  if (next !== undefined) {
    const joined = list.at(next.start);
    return isSeparator(file.slice(end, joined))
      ? { start, end: joined, text: '' }
      : onItsLine(file, start, end);
  }
  if (previous === undefined) return { start, end, text: '' };
  const joined = list.at(previous.end - 1) + 1;
  return isSeparator(file.slice(joined, start))
    ? { start: joined, end, text: '' }
    : onItsLine(file, start, end);
}

/** `{ a, b }` as `{a,b}`: a list without white space, or null when that cannot be written so. */
export function compacted(list: string): string | null {
  const tokens = tokensOf(list, COMMA_OR_SPACE).map(({ text }) => {
    if (!/\s/.test(text)) return text;
    const attributes = attributesOf(text);
    return attributes.some((attribute) => /^=|=$|\s/.test(attribute)) ? null : `{${attributes.join(',')}}`;
  });
  return tokens.includes(null) ? null : tokens.join(',');
}

const isSeparator = (text: string) => /^[\s,]*$/.test(text);

/** A comment stands between the check and its neighbour: only its own words go, with its line when nothing else is on it. */
function onItsLine(file: string, start: number, end: number): Edit {
  const behind = end + (/^[ \t,]*/.exec(file.slice(end))?.[0].length ?? 0);
  const lineStart = file.lastIndexOf('\n', start - 1) + 1;
  const alone = /^[ \t]*$/.test(file.slice(lineStart, start)) && (file[behind] ?? '\n') === '\n';
  return alone ? { start: lineStart, end: behind + 1, text: '' } : { start, end: behind, text: '' };
}
