// Recognises a user field that holds more than a user, as a line of another format does, and says how to write it.
import { parseNetwork } from '../rules/network';
import type { Refusal } from './input';

const INVISIBLE = /[\u00ad\u200b\u2060\ufeff]/u;

/** Why `text` is not a user but a line of something else, or null. */
export function refuseLook(text: string): Refusal | null {
  // Nearly all names hold none of these, and a list may have a million.
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

/** `alice 192.0.2.0/24` and `alice: 192.0.2.0/24, 10.0.0.0/8`, as they are to be written; null when it is neither. */
function userAndNetwork(text: string): string | null {
  const match = /^([^\s:;]+?)\s*[\s:=;]\s*(\S.*)$/.exec(text.trim());
  if (match === null) return null;
  const [, user = '', rest = ''] = match;
  const networks = rest.split(/[\s,]+/).filter((part) => part !== '');
  if (!networks.some((part) => parseNetwork(part) !== null)) return null;
  return `${user},${networks.length === 1 ? rest : `"${networks.join(',')}"`}`;
}

/** Refuses an invisible character, which makes a name or a network another one. */
export function refuseInvisible(column: string, text: string): Refusal | null {
  const found = INVISIBLE.exec(text)?.[0];
  if (found === undefined) return null;
  const code = `U+${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  return {
    problem: `the ${column} holds the invisible character ${code}`,
    hint: `it comes with text copied from a web page or a mail: write the ${column} anew`,
  };
}
