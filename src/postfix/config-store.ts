// main.cf and master.cf on disk: read, kept as dated copies, written, put back.
//
// A file is written under another name and renamed, so that Postfix never reads half of one. Owner, mode, symbolic
// links and bytes that are not UTF-8 stay.
// DIAGNOSTICS: when a file cannot be read or replaced, Trouble with the reason and its real path; nothing is left
// behind.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { getSystemErrorMap } from 'node:util';
import type { ConfigFiles } from './configuration';
import { refused, shellLine } from './run';

interface Original {
  /** As the administrator knows it. */
  readonly path: string;
  /** Where it is, behind symbolic links. */
  readonly real: string;
  /** Where its copy will be. */
  readonly copy: string;
  readonly bytes: Buffer;
  readonly encoding: 'utf8' | 'latin1';
  readonly stat: fs.Stats;
}

/**
 * Age (ms) of a new file by its modification time. Postfix's programs wait until main.cf is older than a second,
 * because it might still be being written; a renamed file is complete.
 */
const AGE = 5000;

export class ConfigStore {
  readonly files: ConfigFiles;
  /** main.cf and master.cf. */
  readonly originals: readonly [Original, Original];

  /** Throws Trouble when one of them cannot be read. */
  constructor(private readonly folder: string) {
    const stamp = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
    const read = (name: string) => readOriginal(path.join(folder, name), stamp);
    this.originals = [read('main.cf'), read('master.cf')];
    const text = ({ bytes, encoding }: Original) => bytes.toString(encoding);
    this.files = { main: text(this.originals[0]), master: text(this.originals[1]), folder };
  }

  /** The copies from all earlier changes. */
  earlierCopies(): string[] {
    const names = fs.readdirSync(this.folder).filter((name) => /^(main|master)\.cf\.allow-nets-\d/.test(name));
    return names.sort().map((name) => path.join(this.folder, name));
  }

  backUp(): void {
    try {
      for (const { copy, bytes, stat } of this.originals) replace(copy, bytes, stat, stat.mtime);
    } catch (error) {
      this.removeCopies();
      throw refused(
        `no copy of main.cf and master.cf can be made in ${this.folder} (${reasonOf(error)})`,
        'make the folder writable, or change the files where they are generated; --dry-run shows the lines',
      );
    }
  }

  removeCopies(): void {
    for (const { copy } of this.originals) fs.rmSync(copy, { force: true });
  }

  write({ main, master }: ConfigFiles): void {
    const modified = new Date(Date.now() - AGE);
    const [mainCf, masterCf] = this.originals;
    put(mainCf, Buffer.from(main, mainCf.encoding), modified);
    put(masterCf, Buffer.from(master, masterCf.encoding), modified);
  }

  /** Both files as they were when they were read, byte for byte. */
  restore(): void {
    for (const original of this.originals) put(original, original.bytes, original.stat.mtime);
  }
}

function readOriginal(file: string, stamp: string): Original {
  try {
    const real = fs.realpathSync(file);
    const bytes = fs.readFileSync(real);
    const encoding = Buffer.from(bytes.toString('utf8')).equals(bytes) ? 'utf8' : 'latin1';
    return { path: file, real, copy: `${file}.allow-nets-${stamp}`, bytes, encoding, stat: fs.statSync(real) };
  } catch (error) {
    throw refused(`${file} cannot be read (${(error as Error).message})`);
  }
}

function put({ path: file, real, stat }: Original, bytes: Buffer, modified: Date): void {
  if (fs.readFileSync(real).equals(bytes)) return;
  try {
    replace(real, bytes, stat, modified);
  } catch (error) {
    const where = real === file ? '' : `, a link to ${real},`;
    const isImmutable = (error as NodeJS.ErrnoException).code === 'EPERM';
    throw refused(
      `${file}${where} cannot be replaced (${reasonOf(error)})`,
      isImmutable
        ? `if it is immutable, allow the change: ${shellLine(['chattr', '-i', real])}`
        : `make ${path.dirname(real)} writable, or change the file where it is generated; --dry-run shows the lines`,
    );
  }
}

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
    fs.renameSync(next, file);
  } catch (error) {
    fs.rmSync(next, { force: true });
    throw error;
  } finally {
    fs.closeSync(descriptor);
  }
}

/** The reason in words: "read-only file system", "operation not permitted". */
function reasonOf(error: unknown): string {
  const { code, errno, message } = error as NodeJS.ErrnoException;
  // rename(2) over a bind mount.
  if (code === 'EBUSY') return 'it is a mount point of its own, or in use';
  return getSystemErrorMap().get(errno ?? 0)?.[1] ?? message;
}
