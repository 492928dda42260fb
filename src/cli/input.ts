// Parses names and networks as people type them. Errors suggest the spelling that was likely meant.

import { userInfo } from 'node:os';
import { wrongUsage } from '../failure';
import { foldName, type Meaning, meaningOf, meaningText } from '../rules/meaning';
import { formatNetwork, parseNetwork } from '../rules/network';
import { nameFault } from './name-fault';
import { refuseInvisible, refuseLook } from './pasted';
import { networksOf, parseRange } from './range';

/** Why a text is refused, and what was likely meant. */
export interface Refusal {
  readonly problem: string;
  readonly hint: string;
}

/** Parses the network of an entry: a CIDR, an address, `any`, `inherit`, `none` or `@SET`. */
export function readNetwork(text: string): Meaning | Refusal {
  const spelled = text.trim();
  const meaning = meaningOf('access', spelled);
  if (spelled.startsWith('@')) {
    return meaning?.kind === 'set' && isSetName(meaning.name) ? meaning : refuseSetName(spelled.slice(1));
  }
  if (meaning === null) return refuseNetwork(spelled);
  const address = spelled.replace(/\/.*/, '');
  if (address === spelled || !parseNetwork(spelled)?.hostBits) return meaning;
  const likely = [meaningText(meaning), likelyNetwork(address)].join(' or ');
  return { problem: `${quoted(text)} is not the first address of its network`, hint: likely };
}

const MOST_NETWORKS = 8;

function refuseNetwork(text: string): Refusal {
  const range = parseRange(text);
  if (range !== null) {
    const networks = networksOf(range).map(formatNetwork);
    const more = networks.length > MOST_NETWORKS ? ',...' : '';
    const hint = `its networks are ${networks.slice(0, MOST_NETWORKS).join(',')}${more}`;
    return { problem: `${text} is a range, not a network`, hint };
  }
  const meant = likelyNetwork(text);
  const hint = meant === null ? 'a network is 192.0.2.0/24, 2001:db8::/32, any or @SET' : `did you mean ${meant}`;
  return { problem: `${quoted(text)} is not a network`, hint };
}

export function isRefusal(read: Meaning | Refusal): read is Refusal {
  return 'problem' in read;
}

/** Like readNetwork, but throws Trouble instead of returning a Refusal. */
export function parseNetworkArgument(text: string): Meaning {
  const read = readNetwork(text);
  if (isRefusal(read)) throw wrongUsage(read.problem, read.hint);
  return read;
}

/** Tries the spellings of other programs: brackets, an interface, a comma, a netmask, leading zeros, missing octets. */
function likelyNetwork(text: string): string | null {
  const spelling = text
    .replace(/^\[(.*)\]|%[^/]*|[,;]$/g, '$1')
    .replace(/\b0+(?=\d)/g, '')
    .replace(/(?<=\/)\d+\.\d+\.\d+\.\d+$/, maskLength)
    .replace(/^(\d+(?:\.\d+){0,2})(?:(?:\.\*?)+|\/(\d+))$/, (_, start: string, length?: string) => {
      const octets = start.split('.');
      return `${[...octets, '0', '0', '0'].slice(0, 4).join('.')}/${length ?? octets.length * 8}`;
    });
  const found = parseNetwork(spelling);
  return found ? formatNetwork(found.network) : null;
}

/** `24` for `255.255.255.0`; `x` for what is not a mask. */
function maskLength(mask: string): string {
  const bits = mask.replace(/(\d+)\.?/g, (_, octet: string) => Number(octet).toString(2).padStart(8, '0'));
  return /^1*0*$/.test(bits) && bits.length === 32 ? String(bits.replace(/0/g, '').length) : 'x';
}

/** Parses a subject: a SASL user name, `@domain` or `*`. Returns it folded; throws Trouble. */
export function parseSubjectArgument(text: string): string {
  const refusal = refuseSubject(text);
  if (refusal !== null) throw wrongUsage(refusal.problem, refusal.hint);
  return foldName(text);
}

export function refuseSubject(text: string): Refusal | null {
  const fault = nameFault(text);
  const meant = text.trim() === '' ? null : fault?.meant;
  if (fault && meant) return { problem: fault.problem, hint: `did you mean ${meant}` };
  const hint = 'a user is a SASL user name as Postfix logs it, @example.com for a domain, or * for everybody';
  if (fault) return { problem: fault.problem, hint };
  if (hasControl(text)) return { problem: `the user ${quoted(text)} holds a control character`, hint };
  if (/^[\da-f.:]+(?:\/|$)/i.test(text) && parseNetwork(text) !== null) {
    return {
      problem: `the user ${text} is a network`,
      hint: 'the user comes first; for a list of networks only: allow-nets set load NAME FILE',
    };
  }
  return refuseLook(text) ?? refuseInvisible('user', text);
}

/** Parses the name of a set, with or without `@`. Returns it folded, without `@`; throws Trouble. */
export function parseSetArgument(text: string): string {
  const name = foldName(text.replace(/^@/, ''));
  if (isSetName(name)) return name;
  const { problem, hint } = refuseSetName(text);
  throw wrongUsage(problem, hint);
}

export function isSetName(name: string): boolean {
  return /^[^\s@/,;"'=]+$/u.test(name) && !hasControl(name);
}

export function refuseSetName(text: string): Refusal {
  const hint = 'a name without spaces, @, /, comma or quotes: office';
  return { problem: `${quoted(text)} cannot name a set`, hint };
}

function hasControl(text: string): boolean {
  return /[\p{Cc}\ufffd]/u.test(text);
}

function quoted(text: string): string {
  return text === '' || /\s/.test(text) ? JSON.stringify(text) : text;
}

/** The user who runs the command, for `added_by`; behind sudo, the user who called it. */
export function whoAmI(): string {
  try {
    return process.env['SUDO_USER'] || userInfo().username;
  } catch {
    return process.env['LOGNAME'] || 'unknown';
  }
}
