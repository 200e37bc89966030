/** The workflows of the bench's own worker. */
export { newestAnchor } from './newest-anchor.ts';
export { removeRestored, restoreToTarget } from './restore-to-target.ts';
export { bareSteps, layeredSteps } from './runbook-layer.ts';
