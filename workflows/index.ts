/** The workflows that a control worker registers. */
export { accept } from './accept.ts';
export { anchor } from './anchor.ts';
export { archive } from './archive.ts';
export { backup } from './backup.ts';
export { databaseFailover } from './database-failover.ts';
export { find } from './find.ts';
export { fullRestore } from './full-restore.ts';
export { lock } from './lock.ts';
export { monthlyDrill } from './monthly-drill.ts';
export { pointInTimeRecovery } from './point-in-time-recovery.ts';
export { recoveryWindow } from './recovery-window.ts';
export { regionFailback } from './region-failback.ts';
export { regionFailover } from './region-failover.ts';
export { regionSwitchover } from './region-switchover.ts';
export { standbyRebuild } from './standby-rebuild.ts';
export { sweep } from './sweep.ts';
export { switchover } from './switchover.ts';
