// Our own `check_policy_service` in the text of a restriction list: finding it, writing it, changing its form, taking it out.
//
// All pure, and as edits of the file that the list stands in. What is written can be taken out again without a trace.
import type { Edit, Slice } from './config-text';
import { COMMA_OR_SPACE, type Token, tokensOf, wordsOf } from './tokens';

/** In which way a list asks the policy service. */
export interface Form {
  /** `request_limit=1`: smtpd closes the connection after each reply (Postfix 3.0 and later). */
  readonly oneShot: boolean;
  /** `warn_if_reject` stands before it: refusals are logged and not carried out. */
  readonly trial: boolean;
  /** The check's own default_action, which smtpd takes in place of main.cf's when the service does not answer. */
  readonly action: string | null;
}

export interface FoundCheck extends Form {
  readonly warn: Token | null;
  readonly keyword: Token;
  readonly target: Token;
  /** From the first to behind the last character of all of it. */
  readonly start: number;
  readonly end: number;
}

/** What a client gets while the program does not answer, whatever smtpd_policy_service_default_action says. */
const ACTION = '451 4.3.5 Policy service not available; see the mail log';

/** `service`: the name of one in `private/`, `inet:HOST:PORT`, or `inet:*:PORT` for whatever host. */
export function isCheckOf(service: string, target: string): boolean {
  const [endpoint = ''] = attributesOf(target);
  const address = endpoint.toLowerCase();
  if (service.startsWith('inet:*:')) return address.startsWith('inet:') && portOf(address) === portOf(service);
  if (service.startsWith('inet:')) return address === service.toLowerCase();
  return new RegExp(`^(unix|local):(.*/)?private/${service.replace(/[.]/g, '\\.')}$`).test(endpoint);
}

/** What stands behind the last colon: `inet:HOST:PORT`, `inet:[::1]:PORT`. */
export const portOf = (address: string) => address.slice(address.lastIndexOf(':') + 1);

/** The words in `{ unix:private/NAME, request_limit=1 }`, or the one word there is. */
export function attributesOf(target: string): string[] {
  const inside = target.startsWith('{') && target.endsWith('}') ? target.slice(1, -1) : target;
  return wordsOf(inside, COMMA_OR_SPACE);
}

/** The value of `name=value` or `{ name = value }` behind a check's endpoint, or null. Of several the last counts. */
export function attributeOf(target: string, name: string): string | null {
  let value: string | null = null;
  for (const word of attributesOf(target).slice(1)) {
    const [, key, found] = /^\{?\s*(\w+)\s*=\s*(.*?)\s*\}?$/s.exec(word) ?? [];
    if (key === name && found !== undefined) value = found;
  }
  return value;
}

/** The form in which a check with this target asks, but for warn_if_reject, which stands before it. */
export const formOf = (target: string): Omit<Form, 'trial'> => ({
  oneShot: attributeOf(target, 'request_limit') === '1',
  action: attributeOf(target, 'default_action'),
});

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
    return [{ ...formOf(target.text), trial: warn !== null, warn, keyword, target, start, end: target.end }];
  });
}

export type WantedForm = Pick<Form, 'oneShot' | 'trial'>;

/** The words of a check. */
export function checkText(service: string, form: WantedForm): string {
  const warn = form.trial ? 'warn_if_reject ' : '';
  return `${warn}check_policy_service ${targetText([`unix:private/${service}`], form, null)}`;
}

/** `attributes`: the endpoint, and what is kept. An action that is not temporary is not kept. */
function targetText(attributes: readonly string[], { oneShot }: WantedForm, action: string | null): string {
  const kept = attributes.filter((word) => !/^\{?\s*(request_limit|default_action)\s*=/.test(word));
  const own = action !== null && /^4\d\d\s/.test(action) ? action : ACTION;
  return `{ ${[...kept, ...(oneShot ? ['request_limit=1'] : []), `{ default_action = ${own} }`].join(', ')} }`;
}

/** A check put before everything else in a list: on a line of its own where the list begins on one. */
export function insertion(file: string, list: Slice, text: string): Edit {
  const place = list.at(0);
  if (list.text === '') return { start: place, end: place, text };
  const indent = /\n([ \t]+)$/.exec(file.slice(0, place))?.[1];
  return { start: place, end: place, text: `${text},${indent === undefined ? ' ' : `\n${indent}`}` };
}

/** What gives a check that stands there another form; its other attributes stay. */
export function reshaping(list: Slice, check: FoundCheck, form: WantedForm): Edit[] {
  const edits: Edit[] = [];
  const { target, keyword, warn } = check;
  const text = targetText(attributesOf(target.text), form, check.action);
  if (attributesOf(text).map(squeezed).join() !== attributesOf(target.text).map(squeezed).join())
    edits.push({ start: list.at(target.start), end: list.at(target.end - 1) + 1, text });
  if (form.trial && warn === null) {
    const place = list.at(keyword.start);
    edits.push({ start: place, end: place, text: 'warn_if_reject ' });
  } else if (warn !== null && !form.trial) {
    edits.push({ start: list.at(warn.start), end: list.at(keyword.start), text: '' });
  }
  return edits;
}

const squeezed = (word: string) => word.replace(/\s+/g, '');

/** What takes a check out of a list, and with it the separator that joins it to what follows, or to what stands before. */
export function extraction(file: string, list: Slice, check: FoundCheck): Edit {
  const [start, end] = [list.at(check.start), list.at(check.end - 1) + 1];
  const tokens = tokensOf(list.text, COMMA_OR_SPACE);
  const next = tokens.find((token) => token.start >= check.end);
  const previous = tokens.findLast((token) => token.end <= check.start);
  if (next === undefined && previous === undefined) return { start, end, text: '' };
  const [from, to] = next === undefined ? [list.at((previous?.end ?? 1) - 1) + 1, end] : [start, list.at(next.start)];
  const separator = next === undefined ? file.slice(from, start) : file.slice(end, to);
  return /^[\s,]*$/.test(separator) ? { start: from, end: to, text: '' } : onItsLine(file, start, end);
}

/** A comment stands between the check and its neighbour: only its own words go, with its line when nothing else is on it. */
function onItsLine(file: string, start: number, end: number): Edit {
  const behind = end + (/^[ \t,]*/.exec(file.slice(end))?.[0].length ?? 0);
  const lineStart = file.lastIndexOf('\n', start - 1) + 1;
  const alone = /^[ \t]*$/.test(file.slice(lineStart, start)) && (file[behind] ?? '\n') === '\n';
  return alone ? { start: lineStart, end: behind + 1, text: '' } : { start, end: behind, text: '' };
}
