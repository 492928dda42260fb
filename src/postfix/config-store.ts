// main.cf and master.cf on disk: read, kept as dated copies, written, put back.
//
// A file is written beside its place and renamed, so that Postfix never reads half of one; owner, mode and a symbolic link on the way
// stay. Bytes that are not UTF-8 stay as they are.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { refused } from './run';
import type { ConfigFiles } from './service-view';

interface Kept {
  /** As the administrator knows it. */
  readonly path: string;
  /** Where it is, behind symbolic links. */
  readonly real: string;
  readonly bytes: Buffer;
  readonly encoding: 'utf8' | 'latin1';
  readonly stat: fs.Stats;
}

type Key = keyof ConfigFiles;
const NAMES = { main: 'main.cf', master: 'master.cf' } as const;
const KEYS: readonly Key[] = ['main', 'master'];

/**
 * How old (ms) a new file says it is. Each program of Postfix, smtpd too, waits until main.cf is older than a second, lest it read half of one that is being
 * written; a renamed file is never that.
 */
const COLD = 5000;

export class ConfigStore {
  readonly files: ConfigFiles;
  private readonly kept: Readonly<Record<Key, Kept>>;

  /** Throws Trouble when one of them cannot be read. */
  constructor(folder: string) {
    this.kept = { main: keep(folder, NAMES.main), master: keep(folder, NAMES.master) };
    this.files = { main: textOf(this.kept.main), master: textOf(this.kept.master) };
  }

  pathOf(key: Key): string {
    return this.kept[key].path;
  }

  /** Where the copies will be. `stamp`: date and time. */
  copies(stamp: string): Record<Key, string> {
    return {
      main: `${this.kept.main.path}.allow-nets-${stamp}`,
      master: `${this.kept.master.path}.allow-nets-${stamp}`,
    };
  }

  backUp(stamp: string): void {
    const copies = this.copies(stamp);
    for (const key of KEYS)
      replace(copies[key], this.kept[key].bytes, this.kept[key].stat, this.kept[key].stat.mtime);
  }

  write(files: ConfigFiles): void {
    const modified = new Date(Date.now() - COLD);
    for (const key of KEYS) this.put(key, Buffer.from(files[key], this.kept[key].encoding), modified);
  }

  /** Both files as they were when they were read, byte for byte. */
  restore(): void {
    for (const key of KEYS) this.put(key, this.kept[key].bytes, this.kept[key].stat.mtime);
  }

  private put(key: Key, bytes: Buffer, modified: Date): void {
    const { real, stat } = this.kept[key];
    if (!fs.readFileSync(real).equals(bytes)) replace(real, bytes, stat, modified);
  }
}

function keep(folder: string, name: string): Kept {
  const file = path.join(folder, name);
  try {
    const real = fs.realpathSync(file);
    const bytes = fs.readFileSync(real);
    const isUtf8 = Buffer.from(bytes.toString('utf8')).equals(bytes);
    return { path: file, real, bytes, encoding: isUtf8 ? 'utf8' : 'latin1', stat: fs.statSync(real) };
  } catch (error) {
    throw refused(`${file} cannot be read (${(error as Error).message})`);
  }
}

const textOf = ({ bytes, encoding }: Kept) => bytes.toString(encoding);

function replace(file: string, bytes: Buffer, { mode, uid, gid }: fs.Stats, modified: Date): void {
  const next = `${file}.allow-nets-new`;
  fs.rmSync(next, { force: true });
  const descriptor = fs.openSync(next, 'wx', 0o600);
  try {
    fs.writeFileSync(descriptor, bytes);
    fs.fchownSync(descriptor, uid, gid);
    fs.fchmodSync(descriptor, mode & 0o7777);
    fs.futimesSync(descriptor, modified, modified);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
  fs.renameSync(next, file);
}
