// What has to be changed in main.cf and master.cf so that Postfix asks the policy program, or no longer does. Pure: texts to changes.
import type { Change } from './change';
import { listChange, listRemoval, type WantedCheck } from './list-changes';
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
  const start = service.at(-1)?.files ?? files;
  return { service, lists: repeated(start, (now) => listChange(now, wanted, builtIn)) };
}

export function uninstallPlan(files: ConfigFiles, policy: string): Plan {
  const lists = repeated(files, (now) => listRemoval(now, policy));
  const start = lists.at(-1)?.files ?? files;
  return { service: repeated(start, (now) => serviceRemoval(now, policy)), lists };
}

/** One change after the other until there is nothing left to change. */
function repeated(files: ConfigFiles, next: (files: ConfigFiles) => Change | null): Change[] {
  const changes: Change[] = [];
  for (let now = files; ; ) {
    const change = next(now);
    if (change === null) return changes;
    if (changes.length > 1000) throw new Error(`no end of changes: ${JSON.stringify(change)}`);
    changes.push(change);
    now = change.files;
  }
}
