import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';

/** To be called before the first worker or native connection of a process: tests cause warnings by the hundred, on purpose. */
export function quietRuntime(): void {
  const filter = makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' });
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter } } });
}
