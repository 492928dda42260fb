// Names and networks as people type them: what cannot be read is answered with the likely right spelling.

import { userInfo } from 'node:os';
import { Trouble } from '../failure';
import { parseAddress } from '../rules/address';
import type { Meaning } from '../rules/meaning';
import { nameFault } from '../rules/name-fault';
import { formatNetwork, isCertain, parseNetwork } from '../rules/network';
import { foldName } from '../rules/subject';
import { refuseInvisible, refuseLook } from './pasted';

/** Why a text is refused, and how it was likely meant. */
export interface Refusal {
  readonly problem: string;
  readonly hint: string;
}

/** The network, `any` or `@set` that a person typed. */
export function readNetwork(text: string): Meaning | Refusal {
  const spelled = text.trim();
  const word = spelled.toLowerCase();
  if (word === 'any' || word === 'inherit' || word === 'none') return { kind: word };
  if (spelled.startsWith('@')) {
    const name = foldName(spelled.slice(1));
    return isSetName(name) ? { kind: 'set', name } : refuseSetName(spelled.slice(1));
  }
  const parsed = parseNetwork(spelled);
  if (parsed === null || !isCertain(spelled, parsed.network)) {
    const meant = likelyNetwork(spelled);
    const problem = `${shown(text)} is not a network`;
    return {
      problem,
      hint: meant === null ? 'a network is 192.0.2.0/24, 2001:db8::/32, any or @SET' : `did you mean ${meant}`,
    };
  }
  if (parsed.hostBits) {
    const address = spelled.slice(0, spelled.indexOf('/'));
    const host = parseNetwork(address)?.network;
    const wide = formatNetwork(parsed.network);
    return {
      problem: `${shown(text)} is not the first address of its network`,
      hint: host ? `${wide} or ${formatNetwork(host)}` : wide,
    };
  }
  return { kind: 'network', network: parsed.network };
}

export function isRefusal(read: Meaning | Refusal): read is Refusal {
  return 'problem' in read;
}

/** As readNetwork, with Trouble for what cannot be read. */
export function networkTyped(text: string): Meaning {
  const read = readNetwork(text);
  if (isRefusal(read)) throw new Trouble({ kind: 'option', ...read });
  return read;
}

/** Spellings of other programs: a net mask, brackets, a wildcard, leading zeros, an interface, a missing octet. */
function likelyNetwork(text: string): string | null {
  const tries = [
    text.replace(/^\[(.*)\]/, '$1'),
    text.replace(/%[^/]*/, ''),
    text.replace(/\/(\d+\.\d+\.\d+\.\d+)$/, (_, mask: string) => `/${maskLength(mask) ?? 'x'}`),
    text.replace(/\b0+(?=\d)/g, ''),
    text.replace(/^(\d+(?:\.\d+){0,2})(?:\.\*?)+$/, (_, start: string) => padded(start)),
    text.replace(/^(\d+(?:\.\d+){0,2})\/(\d+)$/, (_, start: string, length: string) => `${padded(start, length)}`),
    text.replace(/[,;]$/, ''),
    text.replace(/\s+/g, ''),
    text.replace(/^(?:ip[46]?|inet6?|ipv[46]):/i, ''),
    text.replace(/\\/, '/'),
  ];
  for (const candidate of tries) {
    if (candidate === text) continue;
    const parsed = parseNetwork(candidate);
    if (parsed !== null) return formatNetwork(parsed.network);
  }
  return null;
}

function padded(start: string, length?: string): string {
  const octets = start.split('.');
  return `${[...octets, '0', '0', '0'].slice(0, 4).join('.')}/${length ?? octets.length * 8}`;
}

function maskLength(mask: string): number | null {
  const bytes = parseAddress(mask)?.bytes;
  if (!bytes) return null;
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(bits) ? bits.lastIndexOf('1') + 1 : null;
}

/** A subject, folded: a SASL user name, `@domain` or `*`. */
export function subjectTyped(text: string): string {
  const refusal = refuseSubject(text);
  if (refusal !== null) throw new Trouble({ kind: 'option', ...refusal });
  return foldName(text);
}

export function refuseSubject(text: string): Refusal | null {
  const fault = nameFault(text);
  if (fault !== null && text.trim() !== '' && fault.meant !== null) {
    return { problem: fault.problem, hint: `did you mean ${fault.meant}` };
  }
  const hint = 'a user is a SASL user name as Postfix logs it, @example.com for a domain, or * for everybody';
  if (fault !== null) return { problem: fault.problem, hint };
  if (hasControl(text)) return { problem: `the user ${shown(text)} holds a control character`, hint };
  if (text.includes('/') && parseNetwork(text) !== null) {
    return {
      problem: `the user ${text} is a network`,
      hint: 'the user comes first: USER NETWORK',
    };
  }
  return refuseLook(text) ?? refuseInvisible('user', text);
}

/** The name of a set, folded, without the `@` that it may be typed with. */
export function setTyped(text: string): string {
  const name = foldName(text.replace(/^@/, ''));
  if (!isSetName(name)) throw new Trouble({ kind: 'option', ...refuseSetName(text) });
  return name;
}

export function isSetName(name: string): boolean {
  return /^[^\s@/,;"'=]+$/u.test(name) && !hasControl(name);
}

export function refuseSetName(text: string): Refusal {
  return {
    problem: `${shown(text)} cannot name a set`,
    hint: 'a name without spaces, @, /, comma or quotes: office',
  };
}

function hasControl(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
  return /[\x00-\x1f\x7f-\x9f\ufffd]/.test(text);
}

function shown(text: string): string {
  return text === '' || /\s/.test(text) ? JSON.stringify(text) : text;
}

/** Who runs the command, for `added_by`. */
export function whoAmI(): string {
  const sudo = process.env['SUDO_USER'];
  if (sudo) return sudo;
  try {
    return userInfo().username;
  } catch {
    return process.env['LOGNAME'] || 'unknown';
  }
}

/** The name that was likely meant, among those there are: at most two letters away. */
export function nearest(name: string, names: Iterable<string>): string | null {
  let best: string | null = null;
  let least = 3;
  for (const candidate of names) {
    const far = distance(name, candidate, least);
    if (far < least) {
      least = far;
      best = candidate;
    }
  }
  return best;
}

/** Levenshtein's distance. `enough` and more is all the same. */
function distance(a: string, b: string, enough: number): number {
  if (Math.abs(a.length - b.length) >= enough) return enough;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? enough;
}
