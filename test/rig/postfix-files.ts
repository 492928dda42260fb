// The files of a private Postfix: its folders, main.cf, master.cf and certificate. Owners and modes are those that `postfix check` wants.
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program } from '../requires';
import { groupId, userIds } from './accounts';
import type { Users } from './dovecot';
import { smallMasterCf } from './master-cf';
import { hasIPv6 } from './ports';

/** Port numbers by the names of the options' `listeners`. */
export type Ports<Name extends string> = Readonly<Record<Name, number>>;

export interface PrivatePostfixOptions<Name extends string> {
  /** smtpd services, each on a port of its own: name -> its `-o` overrides, `name=value`. */
  listeners: Readonly<Record<Name, readonly string[]>>;
  /** Lines for the end of master.cf, for example the policy service. */
  services?: readonly string[];
  /** A whole master.cf instead, from the ports chosen for `listeners` (whose overrides are then not used). */
  masterCf?: (ports: Ports<Name>) => string;
  /** main.cf parameters; they win over those below. */
  parameters?: Readonly<Record<string, string>>;
  /** Who can log in: SASL user name -> password. */
  users?: Users;
  /** Settings of Dovecot that come before the passdb of `users`. */
  passdbs?: string;
}

/** Where the parts of an instance are. */
interface Places {
  configDir: string;
  queueDir: string;
  dovecotDir: string;
}

/** The mail log of an instance in this folder. */
export const logIn = (root: string) => join(root, 'log/mail.log');

/** Makes an instance below `root`: the folders, the configuration, the certificate and an empty log. @throws where postlog is set-gid */
export function makeInstance<Name extends string>(
  root: string,
  { listeners, services = [], masterCf, parameters = {} }: PrivatePostfixOptions<Name>,
  ports: Ports<Name>,
): Places {
  if ((statSync(program('postlog')).mode & 0o2000) !== 0) {
    throw new Error(
      'a set-gid postlog does not find the log of a private Postfix; run: chmod g-s "$(command -v postlog)"',
    );
  }
  const postfix = userIds('postfix');
  const make = (name: string, mode = 0o755, uid = 0, gid = 0) => {
    mkdirSync(join(root, name));
    chownSync(join(root, name), uid, gid);
    chmodSync(join(root, name), mode);
    return join(root, name);
  };
  make('data', 0o755, postfix.uid, postfix.gid);
  make('log');
  const places = { configDir: make('etc'), queueDir: make('spool'), dovecotDir: make('dovecot') };
  // Dovecot's socket is in `private`. `public` may be entered by all, or postlog, run by the service user, could not reach the log.
  make('spool/private', 0o700, postfix.uid);
  make('spool/public', 0o2711, postfix.uid, groupId('postdrop'));
  const smtpd = (Object.keys(ports) as Name[]).map((name) => ({ port: ports[name], overrides: listeners[name] }));
  makeCertificate(places.configDir);
  writeFileSync(join(places.configDir, 'main.cf'), mainCf(root, parameters));
  makeLookOlder(join(places.configDir, 'main.cf'));
  writeFileSync(join(places.configDir, 'master.cf'), masterCf?.(ports) ?? smallMasterCf(smtpd, services));
  writeFileSync(logIn(root), '');
  return places;
}

/** Postfix's programs wait up to two seconds for a main.cf that has just been written: this makes it look older. */
export function makeLookOlder(file: string): void {
  const then = new Date(Date.now() - 60_000);
  utimesSync(file, then, then);
}

/** Self-signed, on an elliptic curve: an RSA key takes seconds on a busy machine. */
function makeCertificate(folder: string): void {
  const kind = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=private.test'.split(' ');
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
  execFileSync(program('openssl'), ['req', '-x509', ...kind, ...files], { stdio: 'pipe' });
}

function mainCf(root: string, parameters: Readonly<Record<string, string>>): string {
  const all: Record<string, string> = {
    compatibility_level: '3.6',
    queue_directory: join(root, 'spool'),
    data_directory: join(root, 'data'),
    maillog_file: logIn(root),
    maillog_file_prefixes: root,
    myhostname: 'private.test',
    mydestination: '',
    mynetworks: '127.0.0.0/8 [::1]/128',
    alias_maps: '',
    inet_interfaces: hasIPv6 ? '127.0.0.1, ::1' : '127.0.0.1',
    inet_protocols: hasIPv6 ? 'all' : 'ipv4',
    // No mail leaves, and no question goes to a name server.
    default_transport: 'discard',
    relay_transport: 'discard',
    smtp_dns_support_level: 'disabled',
    smtpd_peername_lookup: 'no',
    smtpd_sasl_auth_enable: 'yes',
    smtpd_sasl_type: 'dovecot',
    smtpd_sasl_path: 'private/auth',
    smtpd_tls_security_level: 'may',
    smtpd_tls_cert_file: join(root, 'etc/cert.pem'),
    smtpd_tls_key_file: join(root, 'etc/key.pem'),
    // All clients, because after an XCLIENT Postfix checks the address that XCLIENT has set; only loopback gets here.
    smtpd_authorized_xclient_hosts: 'static:all',
    // A test causes many refusals in a session; the delays and the hang-up against that are not what is tested.
    smtpd_error_sleep_time: '0',
    smtpd_soft_error_limit: '10000',
    smtpd_hard_error_limit: '10000',
    smtpd_client_connection_count_limit: '0',
    ...parameters,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}\n`);
  return lines.join('');
}
