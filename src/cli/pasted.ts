// Recognises user fields that hold more than a user, such as a whole line of another format, and suggests a fix.
import { parseNetwork } from '../rules/network';
import type { Refusal } from './input';

const INVISIBLE = /[\u00ad\u200b\u2060\ufeff]/u;

/** Refuses a text that looks like something other than a user; null if it does not. */
export function refuseLook(text: string): Refusal | null {
  // Fast path: nearly all names pass here, and a list may have a million.
  if (!/[\s:=;,<#]/.test(text)) return null;
  if (text.startsWith('#')) {
    return { problem: `${text} looks like a comment`, hint: "leave comments out: grep -v '^#' FILE" };
  }
  const address = /<([^<>]+)>$|^mailto:(.+)/.exec(text);
  if (address !== null)
    return { problem: `${text} is not a user name`, hint: `did you mean ${address[1] ?? address[2]}` };
  if (/^[^:,\s]+:(?:\{[A-Z0-9.-]+\}|[^:]*:[^:]*:[^:]*:[^:]*:[^:]*:)/.test(text) || /\ballow_nets=/.test(text)) {
    return { problem: 'this looks like a line of a Dovecot passwd-file', hint: 'add --format dovecot' };
  }
  const found = userAndNetwork(text);
  if (found !== null) {
    const problem = `${JSON.stringify(text)} looks like a user and a network`;
    return { problem, hint: `a comma stands between them, and the networks of a user in quotes: ${found}` };
  }
  const parts = text.split(/[;,]/);
  const isSeveral = text.includes(';') || (parts.length > 1 && parts.every((part) => part.includes('@')));
  return isSeveral ? { problem: `${text} looks like several users`, hint: 'each user has a row of his own' } : null;
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

/** Refuses invisible characters: such a name looks like another one and matches nothing. */
export function refuseInvisible(column: string, text: string): Refusal | null {
  const found = INVISIBLE.exec(text)?.[0];
  if (found === undefined) return null;
  const code = `U+${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  return {
    problem: `the ${column} holds the invisible character ${code}`,
    hint: `it comes with text copied from a web page or a mail: write the ${column} anew`,
  };
}
