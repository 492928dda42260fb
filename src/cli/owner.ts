// Makes root's commands safe on a database in a folder that another account controls. That account could plant a
// symbolic link or a forged journal there, and root would follow it. So a command that writes switches to that account
// before it opens anything.
//
// DIAGNOSTICS: if several accounts or everybody can change the path to the file, or if this Node.js cannot switch, the
// command refuses and prints the fix.
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { refusal, shellLine, shellWord } from '../failure';

/**
 * Sets root's effective user and groups to the account that controls the database, which may not exist yet. Does
 * nothing for other users, and if everything belongs to root. Returns a function that switches back to root.
 */
export function becomeOwner(file: string): () => void {
  if (process.geteuid?.() !== 0) return () => {};
  const places = placesOf(resolve(file));
  const folder = statSync(dirname(existsSync(file) ? realpathSync(file) : file), { throwIfNoEntry: false });
  for (const place of places) checkWriters(place, place.stats.ino === folder?.ino && place.stats.dev === folder.dev);
  // The owner of the file itself does not matter: in a folder of root he cannot plant a link or a journal.
  const foldersAndLinks = places.filter(({ stats }) => !stats.isFile());
  const [uid, other] = new Set(foldersAndLinks.map(({ stats }) => stats.uid).filter((owner) => owner !== 0));
  if (uid === undefined) return () => {};
  if (other !== undefined) {
    throw refusal(
      `${file} and the folders above it belong to more than one account besides root`,
      `give them one owner: ${shellLine(['ls', '-ld', ...places.map(({ name }) => name)])}`,
    );
  }
  const before = { groups: process.getgroups?.() ?? [], group: process.getegid?.() ?? 0 };
  const group = primaryGroup(uid) ?? places.find(({ stats }) => stats.uid === uid)?.stats.gid ?? uid;
  try {
    process.setgroups?.([group]);
    process.setegid?.(group);
    process.seteuid?.(uid);
  } catch (error) {
    // Node.js refuses this if libuv may use io_uring (CVE-2024-22017), and that of Debian 13 always does.
    const words = ['setpriv', `--reuid=${uid}`, `--regid=${group}`, '--clear-groups', 'allow-nets'];
    throw refusal(
      `this Node.js cannot work as the account ${uid}, which controls ${file} (${(error as Error).message})`,
      'run the command as that account',
      shellLine([...words, ...process.argv.slice(2)]),
    );
  }
  return () => {
    process.seteuid?.(0);
    process.setegid?.(before.group);
    process.setgroups?.(before.groups);
  };
}

/** Runs `work` as that account, see becomeOwner. */
export function asOwner<T>(file: string, work: () => T): T {
  const becomeRoot = becomeOwner(file);
  try {
    return work();
  } finally {
    becomeRoot();
  }
}

function primaryGroup(uid: number): number | null {
  try {
    return Number(execFileSync('id', ['-g', `${uid}`], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    // The account has no name, as in a container.
    return null;
  }
}

interface Place {
  readonly name: string;
  readonly stats: Stats;
}

/** The most symbolic links in a path, as in Linux. */
const MOST_LINKS = 40;

/** Every existing folder, symbolic link and link target on the path to the file, and the file. */
function placesOf(file: string, links = 0): Place[] {
  if (links > MOST_LINKS) throw refusal(`${file} leads through too many symbolic links`, `ls -l ${shellWord(file)}`);
  const parts = file.split('/').filter((part) => part !== '');
  return ['/', ...parts.map((_, i) => `/${parts.slice(0, i + 1).join('/')}`)].flatMap((name, depth) => {
    const stats = lstatSync(name, { throwIfNoEntry: false });
    if (stats === undefined) return [];
    if (depth < parts.length && !stats.isDirectory() && !stats.isSymbolicLink()) {
      throw refusal(`${name} is not a folder`, 'choose another place with --db FILE');
    }
    if (!stats.isSymbolicLink()) return [{ name, stats }];
    const target = readlinkSync(name);
    // Do not normalise: the system resolves `..` after it has followed links.
    return [{ name, stats }, ...placesOf(target.startsWith('/') ? target : `${dirname(name)}/${target}`, links + 1)];
  });
}

/**
 * Throws Trouble if several accounts can change the place. `isFolder`: whether it is the folder of the database. In a
 * folder like /tmp (sticky bit) nobody can rename the files of others, but anybody can plant a journal.
 */
function checkWriters({ name, stats }: Place, isFolder: boolean): void {
  if (stats.isSymbolicLink()) return;
  const isSticky = stats.isDirectory() && (stats.mode & 0o1000) !== 0;
  const isGroupWritable = (stats.mode & 0o020) !== 0 && stats.gid !== 0;
  const isShared = (stats.mode & 0o002) !== 0 || isGroupWritable;
  if (!isShared || (isSticky && !isFolder)) return;
  const hint = isSticky
    ? 'keep the database in a folder of its own: --db /var/lib/allow-nets/access.db'
    : `as root: chmod go-w ${shellWord(name)}`;
  throw refusal(`${name} can be written by more than its owner`, hint);
}
