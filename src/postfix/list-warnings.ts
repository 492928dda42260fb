// What an administrator should know about the lists that `install` leaves behind.
import { reachOf } from './list-changes';
import type { WantedForm } from './policy-check';
import { type ConfigFiles, offersAuth, smtpdServices } from './service-view';

/** One sentence each: services that may let mail pass without the check, and those that ask though nobody can log in there. */
export function listWarnings(files: ConfigFiles, wanted: WantedForm & { name: string }): string[] {
  const sharing: string[] = [];
  const warnings = smtpdServices(files).flatMap((service) => {
    const reach = reachOf(files, service, wanted.name);
    const name = `${service.name}/${service.type}`;
    if (!offersAuth(files, service)) {
      if (reach.kind !== 'absent') sharing.push(name);
      return [];
    }
    if (reach.kind === 'absent') return [`${name} does not ask: allow-nets doctor says why`];
    if (reach.kind === 'skipped') return [`${name} may skip the check: ${reach.by} stands before it`];
    if (reach.trial !== wanted.trial)
      return [`${name} asks ${reach.trial ? 'on trial' : 'and refuses'}: allow-nets doctor shows the list`];
    return [];
  });
  if (sharing.length > 0) {
    warnings.push(
      `${sharing.join(', ')} offers no AUTH and shares a list with the check: each of its processes starts a program, too; give submission a list of its own: -o smtpd_recipient_restrictions=... in master.cf`,
    );
  }
  return warnings;
}
