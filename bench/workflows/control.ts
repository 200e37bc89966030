/** What the control worker of the bench runs: all that Lifeboat's does, and the workflows that only ask. */
export * from '../../workflows/index.ts';
export { asking, bareAsking } from './asking.ts';
