// What main.cf and master.cf have to be so that Postfix asks the policy program, or no longer does: texts to texts. Nothing is written.
import {
  appended,
  editLines,
  editOverrides,
  editParameters,
  entriesOf,
  overrideOf,
  type Service,
  serviceIn,
} from './config-text';
import { type ConfigFiles, mainLookup, serviceLookup, servicesWithAuth } from './configuration';
import { checkText, type Form, withCheckFirst, withForm, withoutChecks } from './policy-check';
import { entryLines, type PolicyService } from './policy-service';
import { checksOf, RECIPIENT_LIST } from './restrictions';

export interface Wanted extends PolicyService, Form {}

/** The files with the service, and the files with the lists that ask it: none may ask before it answers. */
export function installPlan(files: ConfigFiles, wanted: Wanted): [ConfigFiles, ConfigFiles] {
  const service = withTimeLimit(withEntry(files, wanted), wanted.name);
  return [service, withChecks(service, wanted)];
}

/** The files without the service, its time limit and its checks. */
export function uninstallPlan(files: ConfigFiles, policy: string): ConfigFiles {
  const main = editParameters(files.main, (value, name) => {
    const left = withoutChecks(value, policy);
    // What install appended. In a list that was there and empty the check stands on a line of its own.
    const isAppended = name === RECIPIENT_LIST && left !== value && left.trim() === '' && !value.includes('\n');
    return isAppended || name === timeLimitName(policy) ? null : left;
  });
  const master = editLines(files.master, (line) =>
    isEntryOf(line, policy) ? null : editOverrides(line, (value) => withoutChecks(value, policy)),
  );
  return { ...files, main, master };
}

function isEntryOf(line: string, policy: string): boolean {
  const service = serviceIn(line);
  return service?.name === policy && service.type === 'unix';
}

/** All entries of the service: of several Postfix uses the last. */
export const entriesNamed = (files: ConfigFiles, policy: string): Service[] =>
  entriesOf(files.master).filter(({ name, type }) => name === policy && type === 'unix');

function withEntry(files: ConfigFiles, wanted: Wanted): ConfigFiles {
  let left = entriesNamed(files, wanted.name).length;
  if (left === 0) return { ...files, master: appended(files.master, entryLines(wanted)) };
  const edit = (line: string) => (--left > 0 ? null : entryLines(wanted, line));
  return { ...files, master: editLines(files.master, (line) => (isEntryOf(line, wanted.name) ? edit(line) : line)) };
}

/** Seconds. SMTPD_POLICY_README, "Simple policy client/server configuration". */
const TIME_LIMIT = 3600;

export const timeLimitName = (policy: string) => `${policy}_time_limit`;

/** A time of main.cf in seconds, or null. */
export function secondsOf(text: string): number | null {
  const [, digits, unit = ''] = /^(\d+)([smhdw]?)$/.exec(text.trim()) ?? [];
  const factor = { '': 1, s: 1, m: 60, h: 3600, d: 86400, w: 604800 }[unit] ?? 1;
  return digits === undefined ? null : Number(digits) * factor;
}

export const isLongEnough = (limit: string) => (secondsOf(limit) ?? 0) >= TIME_LIMIT;

function withTimeLimit(files: ConfigFiles, policy: string): ConfigFiles {
  const name = timeLimitName(policy);
  if (isLongEnough(mainLookup(files)(name) ?? '')) return files;
  let isThere = false;
  const main = editParameters(files.main, (value, parameter) => {
    if (parameter !== name) return value;
    isThere = true;
    return ` ${TIME_LIMIT}`;
  });
  return { ...files, main: isThere ? main : appended(main, `${name} = ${TIME_LIMIT}`) };
}

/** Every check in the wanted form, and a check at the front of the recipient restrictions of a service that may not come to one. */
function withChecks(start: ConfigFiles, wanted: Wanted): ConfigFiles {
  const { name, trial } = wanted;
  const reform = (value: string) => withForm(value, name, wanted);
  const master = editLines(start.master, (line) => editOverrides(line, reform));
  const files = { ...start, main: editParameters(start.main, reform), master };
  const lacking = servicesWithAuth(files).filter((service) => {
    const [check] = checksOf(serviceLookup(files, service), name);
    // Tables that an administrator put first stay there.
    return check === undefined || check.trial !== trial || (check.skip !== null && !check.skip.tables);
  });
  const isOwn = (service: Service) => overrideOf(service, RECIPIENT_LIST) !== null;
  const names = lacking.filter(isOwn).map((service) => `${service.name}/${service.type}`);
  const isShared = lacking.some((service) => !isOwn(service));
  return {
    ...files,
    main: isShared ? withCheckInMain(files.main, wanted) : files.main,
    master: editLines(files.master, (line) =>
      names.includes(/^(\S+)\s+(\S+)/.exec(line)?.slice(1).join('/') ?? '')
        ? editOverrides(line, (value, of) => (of === RECIPIENT_LIST ? withCheckFirst(value, name, wanted) : value))
        : line,
    ),
  };
}

function withCheckInMain(main: string, wanted: Wanted): string {
  let isThere = false;
  const edited = editParameters(main, (value, name) => {
    if (name !== RECIPIENT_LIST) return value;
    isThere = true;
    // On a line of its own, so that uninstall can tell an empty parameter from one that was not there.
    if (value.trim() === '') return `${value}\n    ${checkText(wanted.name, wanted)}`;
    return withCheckFirst(value, wanted.name, wanted);
  });
  return isThere ? edited : appended(main, `${RECIPIENT_LIST} = ${checkText(wanted.name, wanted)}`);
}
