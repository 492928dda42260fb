// The changes that make lists ask the policy service, or no longer do.
import { type Change, changed, droppedParameter, keyOf, replaced } from './change';
import { appended, type Edit } from './config-text';
import type { Service } from './master-cf';
import { type Absent, allPlaces, bracing, type Place, placeOf, unbracing, valueAt } from './places';
import {
  checksIn,
  checkText,
  extraction,
  type FoundCheck,
  insertion,
  reshaping,
  type WantedForm,
} from './policy-check';
import type { Reach } from './restrictions';
import { askedIn, type ConfigFiles, serviceLookup, servicesWithAuth } from './service-view';

/** The policy service's name, and the form in which lists are to ask it. */
export interface WantedCheck extends WantedForm {
  readonly name: string;
}

/** `builtIn`: the names of Postfix's own parameters. */
export function listChanges(files: ConfigFiles, wanted: WantedCheck, builtIn: ReadonlySet<string>): Change[] {
  const reshape = (now: ConfigFiles) => repeated(now, (texts) => reshapingChange(texts, wanted));
  const changes = reshape(files);
  for (const index of servicesWithAuth(files).keys()) {
    const now = changes.at(-1)?.files ?? files;
    const service = servicesWithAuth(now)[index];
    const change = service === undefined ? null : insertionFor(now, service, wanted, builtIn);
    if (change !== null) changes.push(change);
  }
  // A check that stood behind something that permits is the second one of its list now.
  return [...changes, ...reshape(changes.at(-1)?.files ?? files)];
}

/** One change after the other until there is nothing left to change. */
export function repeated(files: ConfigFiles, next: (files: ConfigFiles) => Change | null): Change[] {
  const changes: Change[] = [];
  for (let now = files; ; ) {
    const change = next(now);
    if (change === null) return changes;
    if (changes.length > 1000) throw new Error(`no end of changes: ${JSON.stringify(change)}`);
    changes.push(change);
    now = change.files;
  }
}

/** The check put where a service looks that does not ask as it is to, or null. What cannot be done better stays: doctor shows it. */
function insertionFor(
  files: ConfigFiles,
  service: Service,
  wanted: WantedCheck,
  builtIn: ReadonlySet<string>,
): Change | null {
  if (isWell(reachOf(files, service, wanted.name), wanted)) return null;
  const place = placeOf(files, service, builtIn);
  const isFirst = !('absent' in place) && checksIn(valueAt(place).text, wanted.name)[0]?.start === 0;
  return isFirst ? null : insertionAt(files, place, wanted);
}

/** The next check that still stands somewhere, taken out, or null. */
export function listRemoval(files: ConfigFiles, policy: string): Change | null {
  for (const place of allPlaces(files)) {
    const [check] = checksIn(valueAt(place).text, policy);
    if (check !== undefined) return extractionAt(files, place, check);
  }
  return null;
}

/** The best of a service's lists that hold the check. */
export function reachOf(files: ConfigFiles, service: Service, policy: string): Reach {
  return askedIn(serviceLookup(files, service), policy)[0]?.reach ?? { kind: 'absent' };
}

/** Whether a service asks as it is to. Tables that an administrator put first stay there. */
function isWell(reach: Reach, { trial }: WantedForm): boolean {
  if (reach.kind === 'absent' || reach.trial !== trial) return false;
  return reach.kind === 'asked' || reach.tables;
}

/** The first check that stands twice in a list or has another form than wanted, put right. */
function reshapingChange(files: ConfigFiles, wanted: WantedCheck): Change | null {
  for (const place of allPlaces(files)) {
    const value = valueAt(place);
    const [check, second] = checksIn(value.text, wanted.name);
    if (second !== undefined) return extractionAt(files, place, second);
    const edits = check === undefined ? [] : reshaping(value, check, wanted);
    if (edits.length > 0) return changed(files, place.file, [...edits, ...bracingAt(place)]);
  }
  return null;
}

const bracingAt = (place: Place): Edit[] => (place.file === 'main.cf' ? [] : bracing(place.override));

function insertionAt(files: ConfigFiles, place: Place | Absent, wanted: WantedCheck): Change {
  const text = checkText(wanted.name, wanted);
  if ('absent' in place) return replaced(files, 'main.cf', appended(files.main, `${place.absent} = ${text}`));
  const file = files[keyOf(place.file)];
  const value = valueAt(place);
  const edit = insertion(file, value, text);
  if (place.file === 'master.cf') return changed(files, place.file, inBraces(edit, bracingAt(place)));
  if (value.text !== '') return changed(files, place.file, [edit]);
  // On a line of its own, so that uninstall can tell an empty parameter from one that was not there.
  const newline = file.indexOf('\n', edit.start);
  const end = newline < 0 ? file.length : newline;
  return changed(files, place.file, [{ start: end, end, text: `\n    ${text}` }]);
}

/** An edit at the end of a word stands before the brace that closes it. */
function inBraces(edit: Edit, [open, close]: readonly Edit[]): Edit[] {
  if (open === undefined || close === undefined) return [edit];
  if (edit.end !== close.start) return [open, edit, close];
  return [open, { ...edit, text: `${edit.text}${close.text}` }];
}

function extractionAt(files: ConfigFiles, place: Place, check: FoundCheck): Change {
  const file = files[keyOf(place.file)];
  const value = valueAt(place);
  const edit = extraction(file, value, check);
  if (place.file === 'master.cf') {
    const end = value.text === '' ? edit.end : value.at(value.text.length - 1) + 1;
    const left = file.slice(value.at(0), edit.start) + edit.text + file.slice(edit.end, end);
    return changed(files, place.file, [edit, ...unbracing(place.override, left)]);
  }
  if (check.start > 0 || check.end < value.text.length) return changed(files, place.file, [edit]);
  const ownLine = /\n[ \t]*$/.exec(file.slice(0, edit.start))?.index;
  if (ownLine === undefined) return droppedParameter(files, place.parameter);
  return changed(files, place.file, [{ ...edit, start: ownLine }]);
}
