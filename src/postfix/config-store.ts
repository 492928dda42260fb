// Reads main.cf and master.cf, backs them up as dated copies, writes and restores them.
//
// A file is written under another name and renamed, so that Postfix never reads half of it. Owner, mode, symbolic links
// and bytes that are not UTF-8 are preserved.
//
// DIAGNOSTICS: if a file cannot be read or replaced, Trouble says why and names its real path. No temporary file stays.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { getSystemErrorMap } from 'node:util';
import type { ConfigFiles } from './configuration';
import { refused, shellLine } from './run';

interface Original {
  /** The path in the configuration directory. */
  readonly path: string;
  /** The path with symbolic links resolved. */
  readonly real: string;
  /** The path of its dated copy. */
  readonly copy: string;
  readonly bytes: Buffer;
  readonly encoding: 'utf8' | 'latin1';
  readonly stat: fs.Stats;
}

/**
 * New files get a modification time this far (ms) in the past. Postfix's programs wait until main.cf is older than a
 * second, in case it is still being written; a renamed file is complete.
 */
const AGE = 5000;

export class ConfigStore {
  readonly files: ConfigFiles;
  /** main.cf and master.cf. */
  readonly originals: readonly [Original, Original];

  /** Throws Trouble if one of the files cannot be read. */
  constructor(private readonly folder: string) {
    const stamp = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
    const read = (name: string) => readOriginal(path.join(folder, name), stamp);
    this.originals = [read('main.cf'), read('master.cf')];
    const text = ({ bytes, encoding }: Original) => bytes.toString(encoding);
    this.files = { main: text(this.originals[0]), master: text(this.originals[1]), folder };
  }

  /** The copies made by all earlier changes. */
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

  /** Writes both files back as they were read, byte for byte. */
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
