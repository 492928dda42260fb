// Parses names and networks as people type them. Errors suggest the spelling that was likely meant.

import { userInfo } from 'node:os';
import { wrongUsage } from '../failure';
import { foldName, type Meaning, meaningOf, meaningText } from '../rules/meaning';
import { formatNetwork, parseNetwork } from '../rules/network';
import type { Table } from '../rules/schema';
import { nameFault } from './name-fault';
import { refuseInvisible, refuseLook } from './pasted';
import { networksOf, parseRange } from './range';

/**
 * Parses the network of an entry: a CIDR, an address, `any`, `inherit`, `none` or `@SET`. A set of networks holds only
 * the first three. Throws Trouble.
 */
export function parseNetworkArgument(text: string, table: Table = 'access'): Meaning {
  const spelled = text.trim();
  if (spelled.startsWith('@') && table === 'access') return { kind: 'set', name: parseSetArgument(spelled) };
  const meaning = meaningOf(table, spelled);
  if (meaning === null) return refuseNetwork(spelled, table);
  const [address = '', prefix] = spelled.split('/');
  if (prefix === undefined || !parseNetwork(spelled)?.hostBits) return meaning;
  const likely = [meaningText(meaning), likelyNetwork(address)].join(' or ');
  throw wrongUsage(`${quoted(text)} is not the first address of its network`, likely);
}

const MOST_NETWORKS = 8;

function refuseNetwork(text: string, table: Table): never {
  refuseInvisible('network', text);
  if (table === 'network_set' && (text.startsWith('@') || meaningOf('access', text) !== null)) {
    throw wrongUsage(`a set cannot hold ${text}`, 'give its networks');
  }
  const range = parseRange(text);
  if (range !== null) {
    const networks = networksOf(range).map(formatNetwork);
    const more = networks.length > MOST_NETWORKS ? ',...' : '';
    const hint = `its networks are ${networks.slice(0, MOST_NETWORKS).join(',')}${more}`;
    throw wrongUsage(`${text} is a range, not a network`, hint);
  }
  const meant = likelyNetwork(text);
  const hint = meant === null ? 'a network is 192.0.2.0/24, 2001:db8::/32, any or @SET' : `did you mean ${meant}`;
  throw wrongUsage(`${quoted(text)} is not a network`, hint);
}

/** Tries the spellings of other programs: brackets, an interface, a comma, a netmask, leading zeros, missing octets. */
export function likelyNetwork(text: string): string | null {
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
  const hint = 'a user is a SASL user name as Postfix logs it, @example.com for a domain, or * for everybody';
  const fault = nameFault(text);
  if (fault !== null) throw wrongUsage(fault.problem, fault.meant === null ? hint : `did you mean ${fault.meant}`);
  if (hasControl(text)) throw wrongUsage(`the user ${quoted(text)} holds a control character`, hint);
  if (/^[\da-f.:]+(?:\/|$)/i.test(text) && parseNetwork(text) !== null) {
    const order = 'the user comes first; for a list of networks only: allow-nets set load NAME FILE';
    throw wrongUsage(`the user ${text} is a network`, order);
  }
  refuseLook(text);
  refuseInvisible('user', text);
  return foldName(text);
}

export function isSubject(text: string): boolean {
  try {
    parseSubjectArgument(text);
    return true;
  } catch {
    return false;
  }
}

/** Parses the name of a set, with or without `@`. Returns it folded, without `@`; throws Trouble. */
export function parseSetArgument(text: string): string {
  const name = foldName(text.replace(/^@/, ''));
  if (isSetName(name)) return name;
  throw wrongUsage(`${quoted(text)} cannot name a set`, 'a name without spaces, @, /, comma or quotes: office');
}

export function isSetName(name: string): boolean {
  return /^[^\s@/,;"'=]+$/u.test(name) && !hasControl(name);
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
