/** Components that are applications, and which of them a run is about. */
import type { ApplicationComponent } from '../../../activities/contract.ts';
import type { Component, Components } from '../../../plan/components.ts';
import { failure } from '../../runbook/failure.ts';
import type { Run } from '../../runbook/run.ts';
import type { Application, BringApplication } from './application.ts';
import { systemd } from './systemd.ts';

type Kinds = { [K in ApplicationComponent['kind']]: BringApplication<ApplicationComponent & { kind: K }> };

/** A new kind of application is one more line here. */
const kinds: Kinds = { systemd };

export interface Chosen {
  name: string;
  component: ApplicationComponent;
}

export function applicationOf(run: Run, { name, component }: Chosen): Application {
  return kinds[component.kind](run, { name, component });
}

/** @throws PlanInvalid there is none @throws InputInvalid it is not known which */
export function chooseApplication(components: Components | undefined, wanted: string | undefined): Chosen {
  const all = Object.entries(components ?? {});
  const applications = all.flatMap(([name, component]) => (isApplication(component) ? [{ name, component }] : []));
  const known = applications.map(({ name }) => name).join(', ');
  const [first, ...others] = applications;
  if (first === undefined)
    throw failure(
      'PlanInvalid',
      `the plan has no application that can be started and stopped. Add it to its components, such as kind: ${Object.keys(kinds).join(' or ')}.`,
    );
  if (wanted === undefined) {
    if (others.length === 0) return first;
    throw failure('InputInvalid', `the plan has several applications (${known}): say which one in "component".`);
  }
  const named = applications.find(({ name }) => name === wanted);
  if (named !== undefined) return named;
  const other = all.find(([name]) => name === wanted)?.[1];
  throw failure(
    'InputInvalid',
    other === undefined
      ? `there is no component "${wanted}" in the plan. Its applications are ${known}.`
      : `${wanted} is a component of kind ${other.kind}, which is no application. The plan's applications are ${known}.`,
  );
}

function isApplication(component: Component): component is ApplicationComponent {
  return Object.hasOwn(kinds, component.kind);
}
