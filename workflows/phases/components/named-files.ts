import type { Plan } from '../../../plan/schema.ts';
import { failure } from '../../runbook/failure.ts';
import type { NamedFiles } from './restic.ts';

/**
 * The components that restic keeps, or the one that is named.
 *
 * @throws PlanInvalid there is none @throws InputInvalid there is none of that name
 */
export function namedFiles(
  { service, components = {} }: Pick<Plan, 'service' | 'components'>,
  wanted?: string,
): NamedFiles[] {
  const all = Object.entries(components).flatMap(([name, component]): NamedFiles[] =>
    component.kind === 'restic' ? [{ name, component }] : [],
  );
  if (all.length === 0)
    throw failure(
      'PlanInvalid',
      `the plan of ${service} has no component of kind restic: nobody knows which files are to be kept. Add one (docs/files.md).`,
    );
  if (wanted === undefined) return all;
  const found = all.filter(({ name }) => name === wanted);
  if (found.length > 0) return found;
  throw failure(
    'InputInvalid',
    `the plan of ${service} has no component "${wanted}" that restic keeps: it has ${all.map(({ name }) => name).join(', ')}.`,
  );
}
