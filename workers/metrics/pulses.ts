import type { Acknowledged } from '../../activities/pulse/log.ts';
import type { Listener } from '../pulse/pulse.ts';
import type { Samples } from './catalogue.ts';
import type { Metrics } from './metrics.ts';

/** The newest acknowledged pulse: when that was by the database's clock, and how old it was when it was heard of. */
interface Heard {
  at: number;
  ageMs: number;
  /** `performance.now()` */
  heardAt: number;
}

/** Tells Prometheus of the pulses of a service. The age grows by a clock that nobody sets. */
export function listenFor(service: string, metrics: Metrics): Listener {
  let newest: Heard | undefined;
  metrics.show((): Samples => {
    if (newest === undefined) return {};
    const ageMs = newest.ageMs + performance.now() - newest.heardAt;
    return {
      pulseAge: [{ labels: { service }, value: ageMs / 1000 }],
      pulseAcknowledged: [{ labels: { service }, value: newest.at / 1000 }],
    };
  });
  const hear = ({ at }: Acknowledged, ageMs: number) => {
    newest = { at: Date.parse(at), ageMs, heardAt: performance.now() };
  };
  return {
    acknowledged: (pulse) => {
      hear(pulse, 0);
      metrics.count('pulses', { service, result: 'acknowledged' });
    },
    failed: () => metrics.count('pulses', { service, result: 'failed' }),
    // Across a restart only the two clocks can be compared.
    remembered: (pulse) => hear(pulse, Math.max(0, Date.now() - Date.parse(pulse.at))),
  };
}
