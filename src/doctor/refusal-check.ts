// Checks that refusals are permanent. postconf(5): soft_bounce makes every 5xx a 4xx; access_map_reject_code is the
// code of a policy service's `reject`.
import { serviceLookup, smtpdServices } from '../postfix/configuration';
import { type Finding, ok, warn } from './finding';
import type { InstalledService } from './installed-service';

const MAKES_TEMPORARY = { soft_bounce: /^yes$/i, access_map_reject_code: /^[^5]/ } as const;

export function* refusalFindings({ files, postfix }: InstalledService): Iterable<Finding> {
  let isGood = true;
  for (const [name, isTemporary] of Object.entries(MAKES_TEMPORARY)) {
    // `words`: the arguments of postconf(1) that remove the setting.
    const settings = [{ value: postfix.value(name), setting: `${name} = ${postfix.value(name)}`, words: ['-X', name] }];
    for (const smtpd of smtpdServices(files).filter(({ overrides }) => overrides.has(name))) {
      const service = `${smtpd.name}/${smtpd.type}`;
      const value = serviceLookup(files, smtpd)(name) ?? '';
      settings.push({ value, setting: `-o ${name}=${value} of ${service}`, words: ['-PX', `${service}/${name}`] });
    }
    for (const { setting, words } of settings.filter(({ value }) => isTemporary.test(value))) {
      isGood = false;
      const message = `${setting}: a refusal is temporary, and the client tries again for days`;
      yield warn('refusals', message, { command: postfix.postconfCommand(...words) });
    }
  }
  if (isGood) yield ok('refusals', 'permanent');
}
