// The text of master.cf for a private Postfix: a small one of our own, or the one that Debian ships with the submission
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

/** A complete master.cf with the given smtpd services, nothing chrooted, and `extra` lines at the end. */
export function smallMasterCf(listeners: readonly Listener[], extra: readonly string[]): string {
  const smtpd = listeners.flatMap(({ port, overrides }) => [
    `${port} inet n - n - - smtpd`,
    // In braces, so that a value may hold spaces (master(5), Postfix 3.0 and later).
    ...overrides.map((override) => `  -o { ${override} }`),
  ]);
  const services = `
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd`;
  return `${[...smtpd, services.trim(), ...extra].join('\n')}\n`;
}

/**
 * Debian's own master.cf with submission and submissions uncommented and the three ports replaced, nothing else.
 * @param style `shipped`: the lines as they are in the file, which override the restriction lists; `mua`: the other way that
 *   the file's comment describes, `smtpd_xxx_restrictions=$mua_xxx_restrictions`
 */
export function stockMasterCf(ports: Ports<StockService>, style: 'shipped' | 'mua'): string {
  const file = ['/usr/share/postfix/master.cf.dist', '/etc/postfix/master.cf.proto'].find((path) => existsSync(path));
  if (file === undefined) throw new Error('found no master.cf as Debian ships it');
  let inside = false;
  const lines = readFileSync(file, 'utf8')
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
