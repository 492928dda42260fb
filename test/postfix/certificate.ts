// A self-signed certificate for STARTTLS and the submissions service of a private Postfix.
// In trouble (openssl fails): throws with what it said.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { program } from '../requires';

/** Writes `key.pem` (mode 600) and `cert.pem` into the folder. @returns their paths */
export function makeCertificate(folder: string, hostname: string): { key: string; cert: string } {
  const key = join(folder, 'key.pem');
  const cert = join(folder, 'cert.pem');
  // An elliptic curve, because an RSA key takes seconds on a busy machine.
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync(
    program('openssl'),
    ['req', '-x509', ...curve, '-days', '30', '-subj', `/CN=${hostname}`, '-keyout', key, '-out', cert],
    { stdio: 'pipe' },
  );
  return { key, cert };
}
