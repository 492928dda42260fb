// Where restrictions can be written in main.cf and master.cf, and in which of these places a check has to be put for a service to ask it.
import type { Edit, Slice } from './config-text';
import { type Parameter, parameterOf, parametersOf } from './main-cf';
import { type Override, overrideOf, type Service, servicesOf } from './master-cf';
import { type ConfigFiles, RECIPIENT_LIST } from './service-view';
import { COMMA_OR_SPACE, wordsOf } from './tokens';

/** A value that is written in one of the files. */
export type Place =
  | { readonly file: 'main.cf'; readonly parameter: Parameter }
  | { readonly file: 'master.cf'; readonly override: Override };

/** A parameter of main.cf that is not there yet. */
export interface Absent {
  readonly file: 'main.cf';
  readonly absent: string;
}

export const valueAt = (place: Place): Slice =>
  place.file === 'main.cf' ? place.parameter.value : place.override.value;

export function allPlaces(files: ConfigFiles): Place[] {
  const main = parametersOf(files.main).map((parameter): Place => ({ file: 'main.cf', parameter }));
  const master = servicesOf(files.master).flatMap(({ overrides }) =>
    overrides.map((override): Place => ({ file: 'master.cf', override })),
  );
  return [...main, ...master];
}

/**
 * Where a service's own list of recipient restrictions is, or that of main.cf. A list that begins with `$mua_recipient_restrictions` is written in that
 * parameter; Postfix's own parameters are not followed: what is in them has a use of its own.
 */
export function placeOf(files: ConfigFiles, service: Service, builtIn: ReadonlySet<string>): Place | Absent {
  let name = RECIPIENT_LIST;
  for (let depth = 0; ; depth++) {
    const place = definitionOf(files, service, name);
    if ('absent' in place || depth > 10) return place;
    const first = wordsOf(valueAt(place).text, COMMA_OR_SPACE)[0] ?? '';
    const next = /^\$(?:(\w+)|\{(\w+)\}|\((\w+)\))$/.exec(first)?.slice(1).find(Boolean);
    if (next === undefined || builtIn.has(next)) return place;
    name = next;
  }
}

function definitionOf(files: ConfigFiles, service: Service, name: string): Place | Absent {
  const override = overrideOf(service, name);
  if (override !== null) return { file: 'master.cf', override };
  const parameter = parameterOf(files.main, name);
  return parameter === null ? { file: 'main.cf', absent: name } : { file: 'main.cf', parameter };
}

/** What puts an override into braces, without which no white space can stand in it (master(5), Postfix 3.0 and later). */
export function bracing({ word }: Override): Edit[] {
  if (word.text.startsWith('{')) return [];
  const [start, end] = [word.at(0), word.at(word.text.length - 1) + 1];
  // Of `-oname=value` the word begins behind -o: a word of its own can have braces.
  return [
    { start, end: start, text: '{' },
    { start: end, end, text: '}' },
  ];
}

/** What takes braces away again that nothing needs any more, when they look like those of `bracing`. */
export function unbracing({ word }: Override, left: string): Edit[] {
  if (!/^\{[^\s={]+=/.test(word.text) || /\s/.test(left)) return [];
  const [start, end] = [word.at(0), word.at(word.text.length - 1)];
  return [
    { start, end: start + 1, text: '' },
    { start: end, end: end + 1, text: '' },
  ];
}
