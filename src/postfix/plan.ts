// What has to be changed in main.cf and master.cf so that Postfix asks the policy program, or no longer does: texts to changes. Nothing is written.
import type { Change } from './change';
import { listChanges, listRemoval, repeated, type WantedCheck } from './list-changes';
import type { PolicyService } from './policy-service';
import { serviceChange, serviceRemoval } from './service-changes';
import type { ConfigFiles } from './service-view';

/** In the order of `install`: no list may ask the service before it answers. `uninstall` does the lists first. */
export interface Plan {
  readonly service: readonly Change[];
  readonly lists: readonly Change[];
}

export interface Wanted extends PolicyService, WantedCheck {}

/** `builtIn`: the names of Postfix's own parameters. */
export function installPlan(files: ConfigFiles, wanted: Wanted, builtIn: ReadonlySet<string>): Plan {
  const service = repeated(files, (now) => serviceChange(now, wanted));
  return { service, lists: listChanges(service.at(-1)?.files ?? files, wanted, builtIn) };
}

export function uninstallPlan(files: ConfigFiles, policy: string): Plan {
  const lists = repeated(files, (now) => listRemoval(now, policy));
  const start = lists.at(-1)?.files ?? files;
  return { service: repeated(start, (now) => serviceRemoval(now, policy)), lists };
}
