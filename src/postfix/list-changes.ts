// The changes that make lists ask the policy service, or no longer do.
import { type Change, changed, droppedParameter, keyOf, replaced } from './change';
import { appended, type Edit } from './config-text';
import { parameterOf } from './main-cf';
import { type Absent, allPlaces, mainPlace, type Place, servicePlace, styleOf, valueAt } from './places';
import {
  checksIn,
  checkText,
  compacted,
  extraction,
  type Form,
  type FoundCheck,
  insertion,
  reshaping,
} from './policy-check';
import { type Lookup, standsWell } from './restrictions';
import {
  askedIn,
  type ConfigFiles,
  mainLookup,
  offersAuth,
  serviceLookup,
  smtpdServices,
} from './service-view';

/** The policy service's name, and the form in which lists are to ask it. */
export interface WantedCheck extends Form {
  readonly name: string;
}

/** The next change that is missing, or null. `builtIn`: the names of Postfix's own parameters. */
export function listChange(
  files: ConfigFiles,
  wanted: WantedCheck,
  builtIn: ReadonlySet<string>,
): Change | null {
  return reshapingChange(files, wanted) ?? insertionChange(files, wanted, builtIn);
}

/** The next check that still stands somewhere, taken out, or null. */
export function listRemoval(files: ConfigFiles, policy: string): Change | null {
  for (const place of allPlaces(files)) {
    const value = valueAt(place);
    const check = checksIn(value.text, policy)[0];
    if (check !== undefined) return extractionAt(files, place, check);
  }
  return null;
}

/** The first check that stands badly, stands twice or has another form than wanted, put right. */
function reshapingChange(files: ConfigFiles, wanted: WantedCheck): Change | null {
  for (const place of allPlaces(files)) {
    const lookup = lookupAt(files, place);
    const value = valueAt(place);
    for (const [i, check] of checksIn(value.text, wanted.name).entries()) {
      const stays = i === 0 && standsWell(value.text, check, lookup);
      const edits = stays
        ? reshaping(value, check, wanted, styleOf(place))
        : [extraction(files[keyOf(place.file)], value, check)];
      if (edits.length > 0) return changedAt(files, place, edits);
    }
  }
  return null;
}

/** The check put into the first list that has to ask it and does not. */
function insertionChange(
  files: ConfigFiles,
  wanted: WantedCheck,
  builtIn: ReadonlySet<string>,
): Change | null {
  if (!asks(mainLookup(files), wanted.name)) return insertionAt(files, mainPlace(files, builtIn), wanted);
  for (const service of smtpdServices(files)) {
    if (!offersAuth(files, service) || asks(serviceLookup(files, service), wanted.name)) continue;
    const place = servicePlace(files, service, builtIn);
    // It is there, and not asked for a reason that only an administrator can judge: doctor shows it.
    if (!('absent' in place) && checksIn(valueAt(place).text, wanted.name).length > 0) continue;
    return insertionAt(files, place, wanted);
  }
  return null;
}

function asks(lookup: Lookup, policy: string): boolean {
  return askedIn(lookup, policy).some(
    ({ reach }) => reach.kind === 'asked' || (reach.kind === 'skipped' && /^check_/.test(reach.by)),
  );
}

function insertionAt(files: ConfigFiles, place: Place | Absent, wanted: WantedCheck): Change {
  if ('absent' in place) {
    const line = `${place.absent} = ${checkText(wanted.name, wanted, 'spaced')}`;
    return replaced(files, 'main.cf', appended(files.main, line), [line]);
  }
  const file = files[keyOf(place.file)];
  const value = valueAt(place);
  const edit = insertion(file, value, wanted.name, wanted, styleOf(place));
  if (value.text !== '' || place.file === 'master.cf') return changedAt(files, place, [edit]);
  // On a line of its own, so that uninstall can tell an empty parameter from one that was not there.
  const newline = file.indexOf('\n', edit.start);
  const end = newline < 0 ? file.length : newline;
  return changedAt(files, place, [{ start: end, end, text: `\n    ${edit.text}` }]);
}

function extractionAt(files: ConfigFiles, place: Place, check: FoundCheck): Change {
  const file = files[keyOf(place.file)];
  const value = valueAt(place);
  const edit = extraction(file, value, check);
  const alone = check.start === 0 && check.end === value.text.length;
  if (place.file === 'master.cf' || !alone) return changedAt(files, place, [edit]);
  const ownLine = /\n[ \t]*$/.exec(file.slice(0, edit.start))?.index;
  if (ownLine === undefined) return droppedParameter(files, place.parameter);
  return changedAt(files, place, [{ ...edit, start: ownLine }]);
}

function lookupAt(files: ConfigFiles, place: Place): Lookup {
  return place.file === 'main.cf' ? mainLookup(files) : serviceLookup(files, place.service);
}

/** A change of the value at a place. */
function changedAt(files: ConfigFiles, place: Place, edits: readonly Edit[]): Change {
  const now = changed(files, place.file, edits, null).files;
  if (place.file === 'main.cf') {
    const { name } = place.parameter;
    const value = parameterOf(now.main, name)?.value.text ?? '';
    return changed(files, 'main.cf', edits, [`${name} = ${value.replace(/\s+/g, ' ')}`]);
  }
  const { service, override } = place;
  const index = smtpdIndex(files, place);
  const value = allPlaces(now).filter(({ file }) => file === 'master.cf')[index];
  const text = value === undefined ? null : compacted(valueAt(value).text);
  const command = text === null ? null : ['-P', `${service.name}/${service.type}/${override.name}=${text}`];
  return changed(files, 'master.cf', edits, command);
}

/** Which of master.cf's overrides it is: their number does not change. */
function smtpdIndex(files: ConfigFiles, place: Place): number {
  const start = valueAt(place).at(0);
  const overrides = allPlaces(files).filter(({ file }) => file === 'master.cf');
  return overrides.findIndex((one) => valueAt(one).at(0) === start);
}
