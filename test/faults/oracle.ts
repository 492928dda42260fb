// An independent second opinion on every decision: what the design says (section 1.1) and what Postfix's SMTPD_POLICY_README says of the
// protocol, as plainly as it can be written, with Node's own net.BlockList, net.isIP and TextDecoder. It imports nothing of src/ and knows
// no speed.
import * as net from 'node:net';

export interface OracleRow {
  /** The user of `access`, the name of `network_set`. */
  readonly name: string;
  readonly network: string;
  readonly expires: string | null;
  /** Written by another SQLite client: its name counts as it is written, but for the case of ASCII letters. */
  readonly byHand?: number;
}

export interface OracleRules {
  readonly access: readonly OracleRow[];
  readonly sets: readonly OracleRow[];
}

/** The answer to a user at an address. `now`: ms since 1970. */
export function oracleVerdict(rules: OracleRules, user: string, address: string, now: number): 'dunno' | 'reject' {
  if (user === '') return 'dunno';
  const name = fold(user);
  const at = name.lastIndexOf('@');
  const local = name.slice(0, Math.max(0, at));
  const subjects = at < 0 ? [name] : [name, ...(local.includes('@') || local === '*' ? [] : [local]), name.slice(at)];
  for (const subject of [...subjects, '*']) {
    const entries = rules.access.filter((row) => isNamed(row, subject));
    if (entries.length === 0) continue;
    const words = (word: string) => entries.filter(({ network }) => network.trim().toLowerCase() === word);
    // A block whose end cannot be read goes on.
    if (words('none').some(({ expires }) => inForce(expires, now) || moment(expires) === null)) return 'reject';
    if (entries.some((row) => inForce(row.expires, now) && covers(row.network, address, rules.sets))) return 'dunno';
    if (!words('inherit').some(({ expires }) => inForce(expires, now))) return 'reject';
  }
  return 'reject';
}

function isNamed({ name, byHand }: OracleRow, subject: string): boolean {
  if (/[\0\ufffd]/.test(name) || subject === '') return false;
  return byHand ? name.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) === subject : fold(name) === subject;
}

function fold(name: string): string {
  return name.normalize('NFC').toLowerCase().normalize('NFC');
}

function inForce(expires: string | null, now: number): boolean {
  return expires === null || now < (moment(expires) ?? 0);
}

/** Null when it cannot be read. A date alone is its end. */
function moment(expires: string | null): number | null {
  const iso = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(Z|[+-]\d\d:\d\d)?)?$/.exec(expires ?? '');
  if (iso === null) return null;
  if (iso[2] === undefined) return Date.parse(`${iso[1]}T00:00:00Z`) + 86_400_000;
  return Date.parse(`${iso[1]}T${iso[2]}${iso[3] ?? 'Z'}`);
}

function covers(network: string, address: string, sets: readonly OracleRow[]): boolean {
  const text = network.trim();
  if (!text.startsWith('@')) return inNetwork(text, address);
  const members = sets.filter((row) => isNamed(row, fold(text.slice(1))));
  return members.some((row) => inNetwork(row.network.trim(), address));
}

type Read = readonly [address: string, family: 'ipv4' | 'ipv6'];

function inNetwork(text: string, address: string): boolean {
  const client = readAddress(address);
  if (client === null) return false;
  if (text.toLowerCase() === 'any') return true;
  const [first = '', length, ...rest] = text.split('/');
  const wide = net.isIPv6(first);
  const digits = wide ? /^\d{1,3}$/ : /^\d{1,2}$/;
  if (rest.length > 0 || (length !== undefined && !digits.test(length))) return false;
  let prefix = Number(length ?? (wide ? 128 : 32));
  if (prefix > (wide ? 128 : 32)) return false;
  let read = readAddress(first);
  if (read === null) return false;
  // ::ffff:0:0/96 and what is narrower are IPv4; what is wider is IPv6 and has no IPv4 address in it.
  if (wide && read[1] === 'ipv4') {
    if (prefix >= 96) prefix -= 96;
    else read = [first, 'ipv6'];
  }
  if (read[1] !== client[1]) return false;
  const list = new net.BlockList();
  list.addSubnet(read[0], prefix, read[1]);
  return list.check(...client);
}

/** An IPv4-mapped address is its IPv4 address, however it is spelled. */
function readAddress(text: string): Read | null {
  if (net.isIPv4(text)) return [text, 'ipv4'];
  if (!net.isIPv6(text) || text.includes('%')) return null;
  const plain = new net.SocketAddress({ address: text, family: 'ipv6' }).address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1];
  return mapped === undefined ? [plain, 'ipv6'] : [mapped, 'ipv4'];
}

export interface OracleRequest {
  readonly user: string;
  readonly address: string;
}

/** The requests that a connection's bytes hold; `broken` when what follows them is none. */
export function oracleRequests(bytes: Buffer): { requests: OracleRequest[]; broken: boolean } {
  const requests: OracleRequest[] = [];
  let start = 0;
  let lines: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf('\n', at);
    if (end < 0 || end + 1 - start > 65_536) return { requests, broken: true };
    const line = bytes.toString('latin1', at, end).replace(/\r$/, '');
    at = end + 1;
    if (line !== '') {
      lines.push(line);
      continue;
    }
    const request = oracleRequest(lines);
    if (request === null) return { requests, broken: true };
    requests.push(request);
    start = at;
    lines = [];
  }
  return { requests, broken: start < bytes.length };
}

function oracleRequest(lines: readonly string[]): OracleRequest | null {
  const attributes = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([^=]*)=(.*)$/s.exec(line) ?? [];
    if (name === undefined || value === undefined) return null;
    if (!attributes.has(name)) attributes.set(name, value);
  }
  if ((attributes.get('request') ?? 'smtpd_access_policy') !== 'smtpd_access_policy') return null;
  const raw = Buffer.from(attributes.get('sasl_username') ?? '', 'latin1');
  const user = new TextDecoder('utf-8', { ignoreBOM: true }).decode(raw);
  return { user, address: attributes.get('client_address') ?? '' };
}
