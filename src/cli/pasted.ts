// Recognises user fields that hold more than a user, such as a whole line of another format, and suggests a fix.
import { wrongUsage } from '../failure';
import { parseNetwork } from '../rules/network';

const INVISIBLE = /[\u00ad\u200b\u2060\ufeff]/u;

/** Throws Trouble if a text looks like something other than a user. */
export function refuseLook(text: string): void {
  // Fast path: nearly all names pass here, and a list may have a million.
  if (!/[\s:=;,<#]/.test(text)) return;
  if (text.startsWith('#')) throw wrongUsage(`${text} looks like a comment`, "leave comments out: grep -v '^#' FILE");
  const address = /<([^<>]+)>$|^mailto:(.+)/.exec(text);
  if (address !== null) throw wrongUsage(`${text} is not a user name`, `did you mean ${address[1] ?? address[2]}`);
  if (/^[^:,\s]+:(?:\{[A-Z0-9.-]+\}|[^:]*:[^:]*:[^:]*:[^:]*:[^:]*:)/.test(text) || /\ballow_nets=/.test(text)) {
    throw wrongUsage('this looks like a line of a Dovecot passwd-file', 'add --format dovecot');
  }
  const found = userAndNetwork(text);
  if (found !== null) {
    const hint = `a comma stands between them, and the networks of a user in quotes: ${found}`;
    throw wrongUsage(`${JSON.stringify(text)} looks like a user and a network`, hint);
  }
  const parts = text.split(/[;,]/);
  const isSeveral = text.includes(';') || (parts.length > 1 && parts.every((part) => part.includes('@')));
  if (isSeveral) throw wrongUsage(`${text} looks like several users`, 'give each user a row of its own');
}

/** Rewrites `alice 192.0.2.0/24` or `alice: 192.0.2.0/24, 10.0.0.0/8` as CSV; null if it is neither. */
function userAndNetwork(text: string): string | null {
  const match = /^([^\s:;]+?)\s*[\s:=;]\s*(\S.*)$/.exec(text.trim());
  if (match === null) return null;
  const [, user = '', rest = ''] = match;
  const networks = rest.split(/[\s,]+/).filter((part) => part !== '');
  if (!networks.some((part) => parseNetwork(part) !== null)) return null;
  return `${user},${networks.length === 1 ? rest : `"${networks.join(',')}"`}`;
}

/** Throws Trouble if a text holds invisible characters: such a name looks like another one and matches nothing. */
export function refuseInvisible(column: string, text: string): void {
  const found = INVISIBLE.exec(text)?.[0];
  if (found === undefined) return;
  const code = `U+${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  const hint = `it comes with text copied from a web page or a mail: type the ${column} again`;
  throw wrongUsage(`the ${column} holds the invisible character ${code}`, hint);
}
