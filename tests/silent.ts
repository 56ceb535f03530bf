import { createLog } from '@payonce/core/runtime/log';

/** A log that writes nothing. */
export const silent = createLog({ name: 'test', level: 'silent' });
