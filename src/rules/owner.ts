// Root's commands on a database in a folder that another account controls: that account could plant a symbolic link or a forged journal
// there, and root would follow it. So a command that writes becomes the owner of the folder before it opens anything.
//
// DIAGNOSTICS: where more than one account controls the way to the file, or everybody does, the command refuses and names the remedy.
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { shellWord, Trouble } from '../failure';

/** Sets the effective user and groups of a process of root to the owner of the database. `file` may not exist yet. */
export function becomeOwner(file: string): void {
  if (process.geteuid?.() !== 0) return;
  const places = placesOf(file);
  for (const place of places) checkWriters(place);
  const owners = [...new Set(places.map(({ stats }) => stats.uid).filter((uid) => uid !== 0))];
  const [uid, other] = owners;
  if (uid === undefined) return;
  if (other !== undefined) {
    const problem = `${file} and the folders above it belong to more than one account besides root`;
    throw new Trouble({
      kind: 'refused',
      problem,
      hint: `give them one owner: ls -ld ${places.map(({ name }) => shellWord(name)).join(' ')}`,
    });
  }
  const group = Number(execFileSync('id', ['-g', `${uid}`], { encoding: 'utf8' }));
  process.setgroups?.([group]);
  process.setegid?.(group);
  process.seteuid?.(uid);
}

interface Place {
  readonly name: string;
  readonly stats: fs.Stats;
}

/** The file and the folders above it, as far as they exist, without symbolic links. */
function placesOf(file: string): Place[] {
  let name = path.resolve(file);
  while (!fs.existsSync(name)) name = path.dirname(name);
  const places: Place[] = [];
  for (name = fs.realpathSync(name); ; name = path.dirname(name)) {
    places.push({ name, stats: fs.statSync(name) });
    if (name === '/') return places;
  }
}

/** Others may write in a folder of all (/tmp), where the sticky bit keeps them from renaming what is not theirs; the last folder must be closed. */
function checkWriters({ name, stats }: Place): void {
  const isShared = stats.isDirectory() && (stats.mode & 0o1000) !== 0;
  const isGroups = (stats.mode & 0o020) !== 0 && stats.gid !== 0;
  if (isShared || ((stats.mode & 0o002) === 0 && !isGroups)) return;
  throw new Trouble({
    kind: 'refused',
    problem: `${name} can be written by more than its owner`,
    hint: `as root: chmod go-w ${shellWord(name)}`,
  });
}
