/** Whoever keeps an application, by its kind. */
import type { ApplicationComponent } from '../contract.ts';
import { systemdApplication } from '../systemd/application.ts';
import type { ApplicationKind } from './kind.ts';

const kinds: {
  [K in ApplicationComponent['kind']]: (component: ApplicationComponent & { kind: K }) => ApplicationKind;
} = { systemd: systemdApplication };

export function keeperOf(application: ApplicationComponent): ApplicationKind {
  return kinds[application.kind](application);
}
