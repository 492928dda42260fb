// Reads main.cf and master.cf, backs them up as dated copies, writes and restores them.
//
// A file is written under another name and renamed, so that Postfix never reads half of it. Owner, mode, symbolic links
// and bytes that are not UTF-8 are preserved.
//
// DIAGNOSTICS: if a file cannot be read or replaced, Trouble says why and names its real path. No temporary file stays.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { refusal, shellLine, type Trouble } from '../failure';
import type { ConfigFiles } from './configuration';
import { typedCommand } from './run';

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

export class ConfigStore {
  readonly files: ConfigFiles;
  /** main.cf and master.cf. */
  readonly originals: readonly [Original, Original];

  /** Throws Trouble if one of the files cannot be read. */
  constructor(private readonly folder: string) {
    const stamp = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
    this.originals = [readOriginal(folder, 'main.cf', stamp), readOriginal(folder, 'master.cf', stamp)];
    const [main = '', master = ''] = this.originals.map(({ bytes, encoding }) => bytes.toString(encoding));
    this.files = { main, master, folder };
  }

  /** The copies made by all earlier changes; not the half of one that a killed change may have left. */
  earlierCopies(): string[] {
    const names = fs.readdirSync(this.folder).filter((name) => /^(main|master)\.cf\.allow-nets-\d+-\d+$/.test(name));
    return names.sort().map((name) => path.join(this.folder, name));
  }

  backUp(): void {
    try {
      for (const { copy, bytes, stat } of this.originals) replace(copy, bytes, stat);
    } catch (error) {
      this.removeCopies();
      throw unwritable(`no copy of main.cf and master.cf can be made in ${this.folder}`, error);
    }
  }

  removeCopies(): void {
    for (const { copy } of this.originals) fs.rmSync(copy, { force: true });
  }

  write({ main, master }: ConfigFiles): void {
    const [mainCf, masterCf] = this.originals;
    replaceFile(mainCf, Buffer.from(main, mainCf.encoding));
    replaceFile(masterCf, Buffer.from(master, masterCf.encoding));
  }

  /** Writes both files back as they were read, byte for byte. */
  restore(): void {
    for (const original of this.originals) replaceFile(original, original.bytes);
  }
}

function readOriginal(folder: string, name: string, stamp: string): Original {
  const file = path.join(folder, name);
  try {
    const real = fs.realpathSync(file);
    const bytes = fs.readFileSync(real);
    const encoding = Buffer.from(bytes.toString('utf8')).equals(bytes) ? 'utf8' : 'latin1';
    return { path: file, real, copy: `${file}.allow-nets-${stamp}`, bytes, encoding, stat: fs.statSync(real) };
  } catch (error) {
    throw refusal(`${file} cannot be read (${(error as Error).message})`);
  }
}

function replaceFile({ path: file, real, stat }: Original, bytes: Buffer): void {
  if (fs.readFileSync(real).equals(bytes)) return;
  try {
    replace(real, bytes, stat);
  } catch (error) {
    const where = real === file ? '' : `, a link to ${real},`;
    const problem = `${file}${where} cannot be replaced`;
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw unwritable(problem, error);
    const hint = 'if it is immutable, allow the change';
    throw refusal(`${problem} (operation not permitted)`, hint, shellLine(['chattr', '-i', real]));
  }
}

/** Files get a time (ms) in the past, as Postfix's programs wait until main.cf is no longer being written. */
const AGE = 5000;

function replace(file: string, bytes: Buffer, { mode, uid, gid }: fs.Stats): void {
  const next = `${file}.allow-nets-new`;
  const modified = new Date(Date.now() - AGE);
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

function unwritable(problem: string, error: unknown): Trouble {
  const { code, errno, message } = error as NodeJS.ErrnoException;
  // rename(2) over a bind mount.
  const isMount = code === 'EBUSY';
  const why = isMount ? 'it is a mount point of its own, or in use' : getSystemErrorMap().get(errno ?? 0)?.[1];
  const says = `${problem} (${why ?? message})`;
  if (code === 'ENOSPC' || code === 'EDQUOT') return refusal(says, 'free some space there; then', typedCommand());
  const hint = 'make the folder writable, or change the files where they are generated; to see the lines';
  return refusal(says, hint, typedCommand('--dry-run'));
}
