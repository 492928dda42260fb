// The benchmark's folder, which is removed at the end of the benchmark like every folder of the rig.
import { join } from 'node:path';
import { makeFolder } from '../rig/scratch';

const folder = makeFolder('bench');

/** A path in the benchmark's folder. */
export const scratchPath = (name: string) => join(folder, name);
