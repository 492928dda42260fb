// The text of master.cf for a private Postfix, from the one that Debian ships: with smtpd services of a test's own, or with the submission
// services uncommented, which is what most servers run.
import { existsSync, readFileSync } from 'node:fs';
import type { Ports } from './postfix-files';

/** The smtpd services in Debian's master.cf. */
type StockService = 'smtp' | 'submission' | 'submissions';

/** An smtpd service: the port it listens on, and its `-o` overrides as `name=value`. */
interface Listener {
  port: number;
  overrides: readonly string[];
}

function shippedMasterCf(): string {
  const file = ['/usr/share/postfix/master.cf.dist', '/etc/postfix/master.cf.proto'].find((path) => existsSync(path));
  if (file === undefined) throw new Error('found no master.cf as Debian ships it');
  return readFileSync(file, 'utf8');
}

/** A complete master.cf with the given smtpd services in place of the shipped one, nothing chrooted, and `extra` lines at the end. */
export function smallMasterCf(listeners: readonly Listener[], extra: readonly string[]): string {
  const smtpd = listeners.flatMap(({ port, overrides }) => [
    `${port} inet n - n - - smtpd`,
    // In braces, so that a value may hold spaces (master(5), Postfix 3.0 and later).
    ...overrides.map((override) => `  -o { ${override} }`),
  ]);
  const others = shippedMasterCf()
    .replace(/^(#.*|smtp\s+inet\s.*|)\n/gm, '')
    .replace(/^(\S+\s+unix\s+\S+\s+\S+\s+)y/gm, '$1n');
  return `${[...smtpd, others.trim(), ...extra].join('\n')}\n`;
}

/**
 * Debian's own master.cf with submission and submissions uncommented and the three ports replaced, nothing else.
 * @param style `shipped`: the lines as they are in the file, which override the restriction lists; `mua`: the other way that
 *   the file's comment describes, `smtpd_xxx_restrictions=$mua_xxx_restrictions`
 */
export function stockMasterCf(ports: Ports<StockService>, style: 'shipped' | 'mua'): string {
  let inside = false;
  const lines = shippedMasterCf()
    .split('\n')
    .map((line) => {
      const service = /^#?(smtp|submissions?)(\s+inet\s.*\ssmtpd)$/.exec(line);
      if (service !== null) {
        inside = service[1] !== 'smtp';
        return `${ports[service[1] as StockService]}${service[2]}`;
      }
      if (!inside) return line;
      inside = /^#\s/.test(line);
      const option = /^#(\s+-o .*)$/.exec(line)?.[1];
      if (option === undefined) return line;
      return style === 'mua'
        ? option.replace(/smtpd_(\w+)_restrictions=.*/, 'smtpd_$1_restrictions=$mua_$1_restrictions')
        : option;
    });
  return lines.join('\n');
}
