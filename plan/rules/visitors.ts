/** Shares of visitors rise to all of them, can be given by weights, and are watched by a rule that can be kept. */
import { durationText } from '../duration.ts';
import { repeated, rule } from './rule.ts';

/** The greatest weight of HAProxy: a server that gets what is left cannot weigh more. */
const greatestWeight = 256;

export const serversOfVisitorsAreNamedOnce = rule(['visitors'], ({ visitors }, say) => {
  if (visitors === undefined) return;
  const { servers, closed } = visitors;
  for (const index of repeated(servers, (one) => one))
    say(['visitors', 'servers', index], `${servers[index]} is named already`);
  if (closed !== undefined && servers.includes(closed))
    say(['visitors', 'closed'], `${closed} is one of the servers that serve`, {
      instead: 'name the one that says that the service is away',
    });
});

export const visitorsHaveAWayOfTheirOwn = rule(['traffic', 'visitors'], ({ traffic, visitors }, say) => {
  if (visitors !== undefined && visitors.socket === traffic.socket && visitors.backend === traffic.backend)
    say(['visitors', 'backend'], `backend ${visitors.backend} is the front door of the database (traffic)`, {
      instead: 'name the backend that leads to the application',
    });
});

export const sharesRiseToAll = rule(['visitors'], ({ visitors }, say) => {
  if (visitors === undefined) return;
  const { shares, closed } = visitors;
  for (const [index, share] of shares.entries()) {
    const before = shares[index - 1];
    if (before !== undefined && share <= before)
      say(['visitors', 'shares', index], `${share} does not come after ${before}: shares rise`);
  }
  if (shares.at(-1) !== 100)
    say(['visitors', 'shares'], 'the last share is 100, all visitors', { at: 'key', instead: 'add 100' });
  if (closed === undefined && shares.some((share) => share < 100))
    say(['visitors', 'shares'], 'nobody gets what is left of a share', {
      at: 'key',
      instead: 'name the server that says that the service is away (closed), or write shares: [100]',
    });
});

export const sharesCanBeGiven = rule(['visitors'], ({ visitors }, say) => {
  if (visitors?.closed === undefined) return;
  const { shares, servers } = visitors;
  const least = (100 * servers.length) / (servers.length + greatestWeight);
  for (const [index, share] of shares.entries())
    if (share < least)
      say(
        ['visitors', 'shares', index],
        `weights of HAProxy (1 to ${greatestWeight}) cannot give ${share} % to ${servers.length} servers`,
        {
          instead: `write ${Math.ceil(least)} or more`,
        },
      );
});

export const sharesFitTheirPhase = rule(['phases', 'visitors'], ({ phases, visitors }, say) => {
  if (visitors === undefined) return;
  const { shares, soak } = visitors;
  const together = shares.length * soak;
  if (together > phases.traffic)
    say(
      ['visitors', 'soak'],
      `${shares.length} shares of ${durationText(soak)} each take ${durationText(together)}, and phases.traffic is ${durationText(phases.traffic)}`,
    );
});

export const theRuleThatStopsCanBeKept = rule(['visitors'], ({ visitors }, say) => {
  if (visitors === undefined) return;
  const { soak, healthy, stopWhen } = visitors;
  if (stopWhen.for !== undefined && stopWhen.for > soak)
    say(['visitors', 'stopWhen', 'for'], `it is longer than a share is watched (soak: ${durationText(soak)})`);
  if (stopWhen.latency > healthy.within)
    say(
      ['visitors', 'stopWhen', 'latency'],
      `no answer is waited for that long (healthy.within: ${durationText(healthy.within)}): it could never be seen`,
    );
});

export const externalsHaveNamesOfTheirOwn = rule(['externals'], ({ externals = [] }, say) => {
  for (const index of repeated(externals, ({ name }) => name))
    say(['externals', index, 'name'], `${externals[index]?.name} is named already`);
});
