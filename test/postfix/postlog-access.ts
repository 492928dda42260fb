// Lets postlog(1), run by an ordinary user under a private Postfix, reach that instance's log file.
//
// There are two kinds of installation. Where postlog is set-gid (as Postfix's own set-permissions makes it) it opens the instance's
// socket by its group, but follows MAIL_CONFIG only to a folder that the default main.cf lists in alternate_config_directories:
// so the folder is listed there for as long as the instance lives. Where postlog is not set-gid (Debian 12) it follows MAIL_CONFIG
// anywhere, but may not enter the instance's public/ folder: so that folder is opened to it.
//
// The default main.cf is changed under a lock and by rename, and each instance takes out only its own line, so that suites may
// run at once; what a killed test has left there goes with the next change.
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program } from '../requires';
import { withFolder, withoutFolder } from './alternate-config';
import { withLock } from './lock-file';

const defaultMainCf = '/etc/postfix/main.cf';
const lock = join(tmpdir(), 'allow-nets-default-main.cf.lock');

/**
 * @param configDir of the private instance
 * @param publicDir the `public` folder in its queue, which must be there
 * @returns what undoes it; synchronous, so that it can be run while the process ends
 */
export function openPostlog(configDir: string, publicDir: string): () => void {
  const { mode } = statSync(program('postlog'));
  if ((mode & 0o2000) === 0) {
    chmodSync(publicDir, 0o2711);
    return () => {};
  }
  change((text) => withFolder(text, configDir, existsSync));
  return () => change((text) => (text === null ? null : withoutFolder(text, configDir)));
}

function change(edit: (text: string | null) => string | null): void {
  withLock(lock, () => {
    const there = existsSync(defaultMainCf);
    const before = there ? readFileSync(defaultMainCf, 'utf8') : null;
    const after = edit(before);
    if (after === before) return;
    if (after === null) return rmSync(defaultMainCf);
    mkdirSync('/etc/postfix', { recursive: true });
    const next = `${defaultMainCf}.allow-nets-test`;
    writeFileSync(next, after, { mode: there ? statSync(defaultMainCf).mode & 0o777 : 0o644 });
    renameSync(next, defaultMainCf);
  });
}
