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
  const lines = readFileSync(path, 'utf8')
    .replace(/\\\n\s*/g, '')
    .split('\n');
  const begin = lines.indexOf('[Service]');
  const end = lines.findIndex((line, i) => i > begin && line.startsWith('['));
  const settings = new Map<string, string>();
  for (const line of lines.slice(begin + 1, end)) {
    const at = line.indexOf('=');
    if (at > 0 && !line.startsWith('#')) settings.set(line.slice(0, at), line.slice(at + 1));
  }
  return {
    setting: (name) => settings.get(name),
    command: (name) => {
      const words = settings.get(name)?.match(/"[^"]*"|\S+/g) ?? [];
      return words.map((word) => word.replace(/^"(.*)"$/, '$1'));
    },
  };
}

/** What the unit finds where, in the place of the machine's own. */
export interface Places {
  /** The folder of this program. */
  readonly program: string;
  /** A folder with the programs that the unit starts. */
  readonly programs: string;
  /** What is its state folder below /var/lib. */
  readonly state: string;
  /** In the place of the user that User= names, which the machine need not have. */
  readonly user: string;
  readonly group: string;
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
    exec setpriv --reuid '${places.user}' --regid '${places.group}' --clear-groups \\
      --bounding-set=-all --inh-caps=-all --no-new-privs \\
      env -i PATH=${PROGRAMS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"`;
  return ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', ...words];
}
