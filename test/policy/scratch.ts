// A folder for one test file, which a service user can read, gone at the latest when the test process ends.
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

const folders: string[] = [];

process.once('exit', () => {
  for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true });
});

export function makeScratch(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'allow-nets-policy-'));
  fs.chmodSync(folder, 0o755);
  folders.push(folder);
  return folder;
}
