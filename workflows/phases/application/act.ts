/** What is done to the application, once it is known what. */
import type { Facts } from '../../runbook/people/approvals.ts';
import type { Assessed } from './assess.ts';

/** Asked only where the plan has a rule of this name. */
export const changeTheApplication = 'Change the application';

export async function factsToApprove({ chosen, does, application }: Assessed): Promise<Facts> {
  const { component, name } = chosen;
  return {
    subject: { component: name, unit: component.unit, host: component.host, action: does },
    shown: { 'it is found as': application.seen.found },
  };
}

export async function doIt({ application, does }: Assessed): Promise<void> {
  switch (does) {
    case 'nothing':
      return;
    case 'bring back':
      return application.repair();
    case 'start':
      return application.start();
    case 'restart':
      return application.restart();
    case 'quiesce':
      return application.quiesce();
    case 'resume':
      return application.resume();
  }
}
