// A systemd unit run as systemd would run it, as far as that goes without systemd: its commands word for word, under its user, with no
// capability and no way to get one, and with a file system that is read-only but for its own folder and a /tmp of its own.
//
// Not done are the limits that the kernel sets for systemd by BPF: system calls, address families, namespaces.
import { readFileSync } from 'node:fs';

export interface Unit {
  /** The last value of a setting of [Service]; undefined when it does not stand there. */
  setting(name: string): string | undefined;
  /** The words of a command. */
  command(name: 'ExecStart' | 'ExecStartPre'): string[];
}

export function readUnit(path: string): Unit {
  const text = readFileSync(path, 'utf8').replace(/\\\n\s*/g, '');
  const service = text.slice(text.indexOf('[Service]')).split('\n[')[0] ?? '';
  const setting = (name: string) => [...service.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].at(-1)?.[1];
  const words = (line: string) => (line.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replace(/^"(.*)"$/, '$1'));
  return { setting, command: (name) => words(setting(name) ?? '') };
}

/** In place of the machine's own: the folders of this program, of the programs that the unit starts, and of its state. */
export interface Places {
  readonly program: string;
  readonly programs: string;
  readonly state: string;
}

/** Where `programs` and `program` are inside. */
export const PROGRAMS = '/srv';
export const PROGRAM_FOLDER = '/mnt';

/** The command line that runs `words` so; the process keeps its number. */
export function asUnit(unit: Unit, words: readonly string[], places: Places): string[] {
  const name = unit.setting('StateDirectory') ?? '';
  const script = `
    set -e
    mount --bind '${places.program}' ${PROGRAM_FOLDER}
    mount --bind '${places.programs}' ${PROGRAMS}
    exec 9< '${places.state}'
    mount -t tmpfs -o mode=755 none /var/lib
    mkdir /var/lib/${name}
    mount --bind /proc/self/fd/9/. /var/lib/${name}
    exec 9<&-
    mount -o remount,bind,ro /
    mount -o remount,bind,ro ${PROGRAM_FOLDER}
    mount -o remount,bind,ro ${PROGRAMS}
    mount -o remount,ro /var/lib
    mount -t tmpfs -o mode=1777 none /tmp
    cd /
    umask ${unit.setting('UMask')}
    exec setpriv --reuid nobody --regid nogroup --clear-groups \\
      --bounding-set=-all --inh-caps=-all --no-new-privs \\
      env -i PATH=${PROGRAMS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"`;
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', ...words];
}
