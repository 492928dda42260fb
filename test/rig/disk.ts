// A small file system of a test's own: what a full disk or a read-only mount does is tried there.
import { execFileSync } from 'node:child_process';
import { atEnd, makeFolder } from './scratch';

export interface Disk {
  readonly folder: string;
  /** Why nothing is mounted there (no root, a container), for `skip`; false when it is mounted. */
  readonly lacking: string | false;
  /** At the latest at the end of the test process. */
  readonly unmount: () => void;
}

/** @param size as mount(8) takes it for a tmpfs: `256k` */
export function mountDisk(size: string): Disk {
  const folder = makeFolder('disk');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `mode=755,size=${size}`, 'allow-nets', folder], { stdio: 'pipe' });
  } catch (error) {
    const reason = (error as Error).message.trim().split('\n').at(-1);
    return { folder, lacking: `no file system can be mounted here: ${reason}`, unmount: () => {} };
  }
  const unmount = atEnd(() => execFileSync('umount', ['-l', folder], { stdio: 'ignore' }));
  return { folder, lacking: false, unmount };
}
