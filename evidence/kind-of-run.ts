import type { Evidence } from './evidence.ts';

/** What tells runs of one runbook apart: the type of a backup, or whose files were backed up, where it was one component's alone. */
export function typeOf({ runbook, input }: Pick<Evidence, 'runbook' | 'input'>): string | undefined {
  const said = runbook === 'file-backup' ? input.component : input.type;
  return typeof said === 'string' ? said : undefined;
}
