/** What the worker of these tests registers: the made-up runbook under a name that Lifeboat's lists know. */
export { recoveryWindow } from '../../../workflows/index.ts';
export { crossing as backup } from '../../workflows/crossing.ts';
