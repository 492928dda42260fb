// main.cf and master.cf on disk: read, kept as dated copies, written, put back.
//
// A file is written beside its place and renamed, so that Postfix never reads half of one; owner, mode and a symbolic link on the way
// stay. Bytes that are not UTF-8 stay as they are.
// DIAGNOSTICS: Trouble with the reason and where the file really lies when one cannot be read or replaced; nothing is left behind.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { refused } from './run';
import type { ConfigFiles } from './service-view';

interface Original {
  /** As the administrator knows it. */
  readonly path: string;
  /** Where it is, behind symbolic links. */
  readonly real: string;
  readonly bytes: Buffer;
  readonly encoding: 'utf8' | 'latin1';
  readonly stat: fs.Stats;
}

type Key = 'main' | 'master';
const KEYS: readonly Key[] = ['main', 'master'];

/**
 * How old (ms) a new file says it is. Each program of Postfix, smtpd too, waits until main.cf is older than a second, lest it read half of one that is being
 * written; a renamed file is never that.
 */
const COLD = 5000;

export class ConfigStore {
  readonly files: ConfigFiles;
  private readonly originals: Readonly<Record<Key, Original>>;

  /** Throws Trouble when one of them cannot be read. */
  constructor(private readonly folder: string) {
    const originals = { main: readOriginal(folder, 'main.cf'), master: readOriginal(folder, 'master.cf') };
    const text = ({ bytes, encoding }: Original) => bytes.toString(encoding);
    this.originals = originals;
    this.files = { main: text(originals.main), master: text(originals.master), folder };
  }

  pathOf(key: Key): string {
    return this.originals[key].path;
  }

  /** Where the copies will be. `stamp`: date and time. */
  copies(stamp: string): Record<Key, string> {
    return {
      main: `${this.pathOf('main')}.allow-nets-${stamp}`,
      master: `${this.pathOf('master')}.allow-nets-${stamp}`,
    };
  }

  /** The copies that are there from earlier changes. */
  earlierCopies(): string[] {
    const names = fs.readdirSync(this.folder).filter((name) => /^ma\w+\.cf\.allow-nets-\d/.test(name));
    return names.sort().map((name) => path.join(this.folder, name));
  }

  backUp(stamp: string): void {
    const copies = this.copies(stamp);
    try {
      for (const key of KEYS) {
        const { bytes, stat } = this.originals[key];
        replace(copies[key], bytes, stat, stat.mtime);
      }
    } catch (error) {
      this.removeCopies(stamp);
      throw refused(
        `no copy of main.cf and master.cf can be made in ${this.folder} (${reasonOf(error)})`,
        'let the folder be written, or change the files where they are made; --dry-run shows the lines',
      );
    }
  }

  removeCopies(stamp: string): void {
    for (const copy of Object.values(this.copies(stamp))) fs.rmSync(copy, { force: true });
  }

  write(files: ConfigFiles): void {
    const modified = new Date(Date.now() - COLD);
    for (const key of KEYS) this.put(key, Buffer.from(files[key], this.originals[key].encoding), modified);
  }

  /** Both files as they were when they were read, byte for byte. */
  restore(): void {
    for (const key of KEYS) this.put(key, this.originals[key].bytes, this.originals[key].stat.mtime);
  }

  private put(key: Key, bytes: Buffer, modified: Date): void {
    const { real, stat } = this.originals[key];
    if (fs.readFileSync(real).equals(bytes)) return;
    try {
      replace(real, bytes, stat, modified);
    } catch (error) {
      const where = real === this.pathOf(key) ? '' : `, a link to ${real},`;
      throw refused(
        `${this.pathOf(key)}${where} cannot be replaced (${reasonOf(error)})`,
        `let ${real} be replaced, or change it where it is made; --dry-run shows the lines`,
      );
    }
  }
}

function readOriginal(folder: string, name: string): Original {
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

function replace(file: string, bytes: Buffer, { mode, uid, gid }: fs.Stats, modified: Date): void {
  const next = `${file}.allow-nets-new`;
  try {
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
  } catch (error) {
    try {
      fs.rmSync(next, { force: true });
    } catch {
      // Then it was not made.
    }
    throw error;
  }
}

/** What stands in the way, in words: "read-only file system", "operation not permitted". */
function reasonOf(error: unknown): string {
  const { code, errno, message } = error as NodeJS.ErrnoException;
  // rename(2) over a bind mount.
  if (code === 'EBUSY') return 'it is a mount point of its own, or in use';
  return getSystemErrorMap().get(errno ?? 0)?.[1] ?? message;
}
