import type { FullRestoreInput } from '../../messages.ts';
import type { Run } from '../../runbook/run.ts';

export type RestoreRun = Run<FullRestoreInput>;
