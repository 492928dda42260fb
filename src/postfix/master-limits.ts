// What the running master(8) hands down to the programs it starts and a shell does not have: the usual reason why Node.js runs in the
// administrator's session and not in Postfix. Read from /proc (Linux), where it is there.
import * as fs from 'node:fs';
import * as path from 'node:path';

/** The likely causes in words, each with the setting of systemd.exec(5), or null when nothing is found. */
export function limitsOfMaster(queueDir: string): string | null {
  const causes: string[] = [];
  try {
    const pid = fs.readFileSync(path.join(queueDir, 'pid/master.pid'), 'latin1').trim();
    const limits = fs.readFileSync(`/proc/${pid}/limits`, 'latin1');
    const bytes = /^Max address space\s+(\d+)/m.exec(limits)?.[1];
    if (bytes !== undefined) {
      causes.push(`its address space is limited to ${bytes} bytes (LimitAS=, prlimit --as, ulimit -v)`);
    }
    const status = fs.readFileSync(`/proc/${pid}/status`, 'latin1');
    if (/^Seccomp:\s+2/m.test(status)) {
      causes.push('its system calls are filtered (MemoryDenyWriteExecute=, SystemCallFilter=)');
    }
  } catch {
    // Not Linux, or Postfix has gone.
  }
  return causes.length === 0 ? null : causes.join('; ');
}
