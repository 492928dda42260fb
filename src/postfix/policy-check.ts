// Parses, inserts, changes and removes `check_policy_service` in the text of a restriction list.
//
// Values are raw, with the white space and comments of the file. Removing an inserted check restores the text exactly.
import { COMMA_OR_SPACE, wordsOf } from './config-text';

/** `service`: a name in `private/`, `inet:HOST:PORT`, or `inet:*:PORT` for any host. */
export function isCheckOf(service: string, target: string): boolean {
  const [endpoint = ''] = attributesOf(target);
  const address = endpoint.toLowerCase();
  if (service.startsWith('inet:*:')) return address.startsWith('inet:') && portOf(address) === portOf(service);
  if (service.startsWith('inet:')) return address === service.toLowerCase();
  return endpoint.replace(/^(unix|local):\/?/, '') === `private/${service}`;
}

/** The text after the last colon: `inet:HOST:PORT`, `inet:[::1]:PORT`. */
export const portOf = (address: string) => address.slice(address.lastIndexOf(':') + 1);

/** The words in `{ unix:private/NAME, request_limit=1 }`; a target without braces is one word. */
export const attributesOf = (target: string): string[] => wordsOf(target.replace(/^\{(.*)\}$/s, '$1'), COMMA_OR_SPACE);

/** The value of `name=value` or `{ name = value }` after a check's endpoint, or null. The last one counts. */
export function attributeOf(target: string, name: string): string | null {
  const values = attributesOf(target)
    .slice(1)
    .map((word) => /^\{?\s*(\w+)\s*=\s*(.*?)\s*\}?$/s.exec(word))
    .filter((found) => found?.[1] === name);
  return values.at(-1)?.[2] ?? null;
}

/** How a list asks the policy service. */
export interface Form {
  /** `request_limit=1`: smtpd closes the connection after each reply (Postfix 3.0 and later). */
  readonly oneShot: boolean;
  /** `warn_if_reject` before it: refusals are logged and not carried out. */
  readonly trial: boolean;
}

/** smtpd's reply while the program does not answer; it overrides smtpd_policy_service_default_action. */
export const TROUBLE_ACTION = '451 4.3.5 Policy service not available; see the mail log';

/** The text of a check. `present`: its present target; other attributes and a temporary default_action are kept. */
export function checkText(service: string, { oneShot, trial }: Form, present = `unix:private/${service}`): string {
  const kept = attributesOf(present).filter((word) => !/^\{?\s*(request_limit|default_action)\s*=/.test(word));
  const own = attributeOf(present, 'default_action') ?? '';
  const action = `{ default_action = ${/^4\d\d\s/.test(own) ? own : TROUBLE_ACTION} }`;
  const target = `{ ${[...kept, ...(oneShot ? ['request_limit=1'] : []), action].join(', ')} }`;
  return `${trial ? 'warn_if_reject ' : ''}check_policy_service ${target}`;
}

/** Matches a comment, or a check of the service with the white space and commas around it. */
function checkPattern(service: string): RegExp {
  const endpoint = `(?:unix|local):(?:[^\\s,{}]*/)?private/${service.replaceAll('.', '\\.')}`;
  const group = `\\{[\\s,]*${endpoint}(?:[\\s,](?:[^{}]|\\{(?:[^{}]|\\{[^{}]*\\})*\\})*)?\\}`;
  const target = `(?<target>${group}|${endpoint}(?![^\\s,}]))`;
  const check = `(?<check>(?:warn_if_reject[\\s,]+)?(?<![^\\s,{])check_policy_service[\\s,]+${target})`;
  return new RegExp(`^[ \\t]*#[^\\n]*|(?<before>\\n?[ \\t]*)${check}(?<after>[ \\t]*,?[ \\t]*)`, 'gim');
}

/** The groups of `checkPattern`. */
type Found = Record<'before' | 'check' | 'target' | 'after', string>;

function editChecks(value: string, service: string, edit: (found: Found, rest: string) => string): string {
  return value.replace(checkPattern(service), (all, ...more) => {
    const found: Found = more.at(-1);
    return found.target === undefined ? all : edit(found, value.slice(more.at(-3) + all.length));
  });
}

/** Changes each check of the service to this form. */
export function withForm(value: string, service: string, form: Form): string {
  const squeezed = (text: string) => text.replace(/[\s,]+/g, '').toLowerCase();
  return editChecks(value, service, ({ before, check, target, after }) => {
    const wanted = checkText(service, form, target);
    return before + (squeezed(wanted) === squeezed(check) ? check : wanted) + after;
  });
}

/** Removes the checks of the service. */
export function withoutChecks(value: string, service: string): string {
  let isLast = false;
  const left = editChecks(value, service, ({ before }, rest) => {
    isLast = /^\s*$/.test(rest);
    // If the check has a line to itself, the newline goes, too.
    return before.startsWith('\n') && /^(\n|$)/.test(rest) ? '' : before;
  });
  if (!isLast) return left;
  const stripped = left.replace(/(?<=\S)[\s,]+$/, '');
  // Text that is appended later must not become part of a comment.
  return /\n[ \t]*#[^\n]*$/.test(stripped) ? `${stripped}\n ` : stripped;
}

/** Moves the check to the front, on a separate line if the list starts on one. */
export function withCheckFirst(value: string, service: string, form: Form): string {
  const others = withoutChecks(value, service);
  const lead = /^[ \t]*(?:\n(?:[ \t]*#[^\n]*\n|[ \t]*\n)*[ \t]+)?/.exec(others)?.[0] ?? '';
  const indent = /\n[ \t]+$/.exec(lead)?.[0] ?? ' ';
  const check = checkText(service, form);
  return others === lead ? `${lead}${check}` : `${lead}${check},${indent}${others.slice(lead.length)}`;
}
