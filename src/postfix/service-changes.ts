// The changes that make the service itself: its entry in master.cf and its time limit in main.cf.
import { type Change, changed, droppedParameter, replaced } from './change';
import { appended, removal } from './config-text';
import { parameterOf } from './main-cf';
import { entriesOf, type Service } from './master-cf';
import { entryLines, hasRightFields, type PolicyService, programIndex, spawned } from './policy-service';
import type { ConfigFiles } from './service-view';

/** The next change that is missing, or null. */
export function serviceChange(files: ConfigFiles, wanted: PolicyService): Change | null {
  return entryChange(files, wanted) ?? timeLimitChange(files, wanted.name);
}

/** The next thing of the service that is still there, taken out, or null. */
export function serviceRemoval(files: ConfigFiles, policy: string): Change | null {
  const limit = parameterOf(files.main, timeLimitName(policy));
  if (limit !== null) return droppedParameter(files, limit);
  const [entry] = entriesNamed(files, policy);
  return entry === undefined ? null : entryRemoval(files, entry);
}

const entriesNamed = (files: ConfigFiles, policy: string): Service[] =>
  entriesOf(files.master).filter(({ name, type }) => name === policy && type === 'unix');

const entryRemoval = (files: ConfigFiles, { line }: Service): Change =>
  changed(files, 'master.cf', [removal(files.master, line)]);

function entryChange(files: ConfigFiles, wanted: PolicyService): Change | null {
  const [present, second] = entriesNamed(files, wanted.name);
  // Of two Postfix uses the last.
  if (present !== undefined && second !== undefined) return entryRemoval(files, present);
  const lines = entryLines(wanted);
  if (present === undefined) return replaced(files, 'master.cf', appended(files.master, lines));
  const now = spawned(present);
  const same = now?.user === wanted.user && now.argv.join('\n') === wanted.argv.join('\n');
  if (same && hasRightFields(present)) return null;
  const { start, end } = present.line;
  const newline = files.master[end - 1] === '\n' ? '\n' : '';
  return changed(files, 'master.cf', [{ start, end, text: `${lines}${newline}` }]);
}

/** Whether a service of this name is another program. */
export function isForeign(files: ConfigFiles, policy: string): boolean {
  return entriesNamed(files, policy).some((entry) => programIndex(spawned(entry)?.argv ?? []) < 0);
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

function timeLimitChange(files: ConfigFiles, policy: string): Change | null {
  const line = `${timeLimitName(policy)} = ${TIME_LIMIT}`;
  const present = parameterOf(files.main, timeLimitName(policy));
  if (present === null) return replaced(files, 'main.cf', appended(files.main, line));
  const { value } = present;
  if (isLongEnough(value.text)) return null;
  const edit = { start: value.at(0), end: value.at(value.text.length), text: `${TIME_LIMIT}` };
  return changed(files, 'main.cf', [edit]);
}
