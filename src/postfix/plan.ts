// Computes the new texts of main.cf and master.cf for install and uninstall. Writes nothing.
import {
  appendLines,
  editLines,
  editOverrides,
  editParameters,
  entriesOf,
  type Service,
  serviceIn,
} from './config-text';
import { type ConfigFiles, mainLookup, servicesWithAuth } from './configuration';
import { checkText, type Form, withCheckFirst, withForm, withoutChecks } from './policy-check';
import { entryLines, type PolicyService } from './policy-service';
import { RECIPIENT_LIST, serviceCheck } from './restrictions';

export interface Wanted extends PolicyService, Form {}

/** Two stages: first the service, then the lists that ask it, since no list may ask before the service answers. */
export function installPlan(files: ConfigFiles, wanted: Wanted): [ConfigFiles, ConfigFiles] {
  const service = withTimeLimit(withEntry(files, wanted), wanted.name);
  return [service, withChecks(service, wanted)];
}

/** The files without the service, its time limit and its checks. */
export function uninstallPlan(files: ConfigFiles, policy: string): ConfigFiles {
  const main = editParameters(files.main, (value, name) =>
    name === timeLimitName(policy) ? null : withoutInstalled(value, name, policy),
  );
  const master = editLines(files.master, (line) =>
    isEntryOf(line, policy) ? null : editOverrides(line, (value, name) => withoutOurs(value, name, policy)),
  );
  return { ...files, main, master };
}

/** The value of a parameter of main.cf without the checks; null if install appended the parameter. */
function withoutInstalled(value: string, name: string, policy: string): string | null {
  const left = withoutOurs(value, name, policy);
  // Where the parameter was present and empty, install used a separate line.
  const isAppended = name === RECIPIENT_LIST && left !== value && left.trim() === '' && !value.includes('\n');
  return isAppended ? null : left;
}

/** A restriction that decides nothing. */
const NO_RESTRICTION = 'check_client_access static:dunno';

/** The value of a parameter without the checks. */
function withoutOurs(value: string, name: string, policy: string): string {
  const left = withoutChecks(value, policy);
  // smtpd does not start with an empty restriction class. Only a check written by hand can be in one.
  const isEmptyClass = left !== value && left.trim() === '' && !/^smtpd_\w+_restrictions$/.test(name);
  return isEmptyClass ? `${left || ' '}${NO_RESTRICTION}` : left;
}

function isEntryOf(line: string, policy: string): boolean {
  const service = serviceIn(line);
  return service?.name === policy && service.type === 'unix';
}

/** All entries of the service; Postfix uses the last one. */
export const entriesNamed = (files: ConfigFiles, policy: string): Service[] =>
  entriesOf(files.master).filter(({ name, type }) => name === policy && type === 'unix');

function withEntry(files: ConfigFiles, wanted: Wanted): ConfigFiles {
  let left = entriesNamed(files, wanted.name).length;
  if (left === 0) return { ...files, master: appendLines(files.master, entryLines(wanted)) };
  const edit = (line: string) => (--left > 0 ? null : entryLines(wanted, line));
  return { ...files, master: editLines(files.master, (line) => (isEntryOf(line, wanted.name) ? edit(line) : line)) };
}

/** Seconds. SMTPD_POLICY_README, "Simple policy client/server configuration". */
const TIME_LIMIT = 3600;

export const timeLimitName = (policy: string) => `${policy}_time_limit`;

/** `limit`: a time as in main.cf. */
export function isLongEnough(limit: string): boolean {
  const [, digits = '0', unit = ''] = /^(\d+)([smhdw]?)$/.exec(limit.trim()) ?? [];
  const factor = { '': 1, s: 1, m: 60, h: 3600, d: 86400, w: 604800 }[unit] ?? 1;
  return Number(digits) * factor >= TIME_LIMIT;
}

function withTimeLimit(files: ConfigFiles, policy: string): ConfigFiles {
  const name = timeLimitName(policy);
  if (isLongEnough(mainLookup(files)(name) ?? '')) return files;
  const others = editParameters(files.main, (value, parameter) => (parameter === name ? null : value));
  return { ...files, main: appendLines(others, `${name} = ${TIME_LIMIT}`) };
}

/**
 * Gives every check the wanted form. Each service that lacks a check or may skip it gets one at the front of its
 * recipient restrictions. The list of main.cf loses its check if every service with AUTH has a list of its own.
 */
function withChecks(start: ConfigFiles, wanted: Wanted): ConfigFiles {
  const { name, trial } = wanted;
  const isOwn = (service: Service) => service.overrides.has(RECIPIENT_LIST);
  const reform = (value: string) => withForm(value, name, wanted);
  const master = editLines(start.master, (line) => editOverrides(line, reform));
  const isMainUsed = servicesWithAuth(start).some((service) => !isOwn(service));
  const main = editParameters(start.main, (value, of) =>
    of === RECIPIENT_LIST && !isMainUsed ? withoutInstalled(value, of, name) : reform(value),
  );
  const files = { ...start, main, master };
  const lacking = servicesWithAuth(files).filter((service) => {
    const check = serviceCheck(files, service, name);
    // Access tables that an administrator put first stay first.
    return check === undefined || check.trial !== trial || (check.skip !== null && check.skip.certainty !== 'table');
  });
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
    // A separate line tells uninstall that the parameter was present before.
    if (value.trim() === '') return `${value}\n    ${checkText(wanted.name, wanted)}`;
    return withCheckFirst(value, wanted.name, wanted);
  });
  return isThere ? edited : appendLines(main, `${RECIPIENT_LIST} = ${checkText(wanted.name, wanted)}`);
}
