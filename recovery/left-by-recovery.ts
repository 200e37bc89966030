/** Where a recovery in place was when it was ended in its middle, by what it had noted until then; and what leads out of it. Pure. */

/** What the judgement needs of a run's record. */
export interface NotedRecovery {
  steps: readonly { id: string; kind: string; state: string }[];
  setAside?: readonly { host: string; directory: string; dataDirectory: string }[];
  /** Absent once it is open. */
  doorClosed?: { byHand: string };
}

interface Place {
  host: string;
  /** The command that starts its server. */
  start: string;
}

/** What to do by hand, in this order; empty where it had touched nothing, was taking things back, or had let people in again. */
export function leftByRecovery(
  { steps, setAside = [], doorClosed }: NotedRecovery,
  places: readonly Place[],
): string[] {
  const begun = (step: string) => steps.some(({ id }) => id === `database/${step}`);
  if (!begun('close-the-front-door') || doorClosed === undefined) return [];
  if (steps.some(({ kind }) => kind === 'undo')) return [];
  const open = [doorClosed.byHand, 'Let the application write again (application.resume of the plan).'];
  const started = begun('start-the-recovered-primary');
  if (started) return [...goOn(setAside, places), ...open];
  const back = setAside.map(
    ({ host, directory, dataDirectory }) =>
      `On ${host}, if ${directory} is there: the restored directory may be in its place. With no server running, mv ${dataDirectory} ${dataDirectory}.restored (if it exists), then mv ${directory} ${dataDirectory}.`,
  );
  const stopped = begun('stop-the-primary') || places.some(({ host }) => begun(`stop-the-standby-on-${host}`));
  const start = stopped
    ? [`Start what does not run, the primary first: ${places.map((one) => `${one.start} on ${one.host}`).join(', ')}.`]
    : [];
  return [...back, ...start, ...open];
}

/** The archive may hold the recovered timeline: the old directory, started as it is, would contradict it. */
function goOn(setAside: NonNullable<NotedRecovery['setAside']>, places: readonly Place[]): string[] {
  const [primary, ...standbys] = setAside;
  const startOf = (host: string) => places.find((one) => one.host === host)?.start ?? 'start it';
  if (primary === undefined) return [];
  return [
    `The recovered database is in place on ${primary.host}, and has been started: go on with it (${startOf(primary.host)}). Never start ${primary.directory} again as it is: the archive may hold a timeline that it does not know.`,
    ...standbys.map(({ host }) => `The restored standby is in place on ${host}: ${startOf(host)}.`),
    ...places
      .filter(({ host }) => setAside.every((one) => one.host !== host))
      .map(
        ({ host }) =>
          `${host} still has its old data, which the recovered primary does not share: rebuild it as a standby.`,
      ),
  ];
}
