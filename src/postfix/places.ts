// Where restrictions can be written in main.cf and master.cf, and in which of these places a check has to be put for a service to ask it.
import type { Slice } from './config-text';
import { type Parameter, parameterOf, parametersOf } from './main-cf';
import { type Override, overrideOf, type Service, servicesOf } from './master-cf';
import type { Style } from './policy-check';
import { type ConfigFiles, RECIPIENT_LIST } from './service-view';
import { COMMA_OR_SPACE, tokensOf } from './tokens';

/** A value that is written in one of the files. */
export type Place =
  | { readonly file: 'main.cf'; readonly parameter: Parameter }
  | { readonly file: 'master.cf'; readonly service: Service; readonly override: Override };

/** A parameter of main.cf that is not there yet. */
export interface Absent {
  readonly file: 'main.cf';
  readonly absent: string;
}

export const valueAt = (place: Place): Slice =>
  place.file === 'main.cf' ? place.parameter.value : place.override.value;

/** White space can stand in main.cf, and in braces. */
export const styleOf = (place: Place): Style =>
  place.file === 'main.cf' || place.override.braced ? 'spaced' : 'compact';

export function allPlaces(files: ConfigFiles): Place[] {
  const main = parametersOf(files.main).map((parameter): Place => ({ file: 'main.cf', parameter }));
  const master = servicesOf(files.master).flatMap((service) =>
    service.overrides.map((override): Place => ({ file: 'master.cf', service, override })),
  );
  return [...main, ...master];
}

/** Where main.cf's own list of recipient restrictions is to hold the check. */
export function mainPlace(files: ConfigFiles, builtIn: ReadonlySet<string>): Place | Absent {
  const parameter = parameterOf(files.main, RECIPIENT_LIST);
  if (parameter === null) return { file: 'main.cf', absent: RECIPIENT_LIST };
  return followed(files, { file: 'main.cf', parameter }, null, builtIn);
}

/** The same of a service: its own list, or that of main.cf as its overrides make it. */
export function servicePlace(
  files: ConfigFiles,
  service: Service,
  builtIn: ReadonlySet<string>,
): Place | Absent {
  const override = overrideOf(service, RECIPIENT_LIST);
  if (override !== null) return followed(files, { file: 'master.cf', service, override }, service, builtIn);
  const parameter = parameterOf(files.main, RECIPIENT_LIST);
  if (parameter === null) return { file: 'main.cf', absent: RECIPIENT_LIST };
  return followed(files, { file: 'main.cf', parameter }, service, builtIn);
}

/**
 * A list that begins with `$mua_recipient_restrictions` is written in that parameter. Postfix's own parameters are not followed: what is
 * in them has a use of its own.
 */
function followed(
  files: ConfigFiles,
  place: Place,
  service: Service | null,
  builtIn: ReadonlySet<string>,
  depth = 0,
): Place | Absent {
  const first = tokensOf(valueAt(place).text, COMMA_OR_SPACE)[0]?.text ?? '';
  const [, plain, braced, round] = /^\$(?:(\w+)|\{(\w+)\}|\((\w+)\))$/.exec(first) ?? [];
  const name = plain ?? braced ?? round;
  if (name === undefined || builtIn.has(name) || depth > 10) return place;
  const override = service === null ? null : overrideOf(service, name);
  if (service !== null && override !== null)
    return followed(files, { file: 'master.cf', service, override }, service, builtIn, depth + 1);
  const parameter = parameterOf(files.main, name);
  if (parameter === null) return { file: 'main.cf', absent: name };
  return followed(files, { file: 'main.cf', parameter }, service, builtIn, depth + 1);
}
