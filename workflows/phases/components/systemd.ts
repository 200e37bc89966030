/** An application that systemd keeps: the worker of its host is asked. */
import type { ComponentOf } from '../../../plan/components.ts';
import { type BringApplication, keptApplication } from './application.ts';

export const systemd: BringApplication<ComponentOf<'systemd'>> = (run, { name, component }) => {
  const { host, unit } = component;
  return keptApplication(run, { name, component, called: `${unit} on ${host}`, ask: run.host(host) });
};
