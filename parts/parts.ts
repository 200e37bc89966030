/** Finds the programs that Lifeboat drives, and installs those that are missing. */
import { inspect } from './inspect.ts';
import { installParts } from './install.ts';
import { type Inspection, type MissingPart, type Part, type PartName, partNames, type Say } from './part.ts';
import { cacheDirectory, type Surroundings, surroundings } from './surroundings.ts';

export type { Inspection, MissingPart, Part, PartName, Say };
export { cacheDirectory, partNames };

/** One error for all that is missing: nobody wants to learn of it piece by piece. */
export class PartsMissing extends Error {
  readonly parts: MissingPart[];

  constructor(parts: MissingPart[]) {
    super(
      `${parts.length === 1 ? 'A program is' : `${parts.length} programs are`} missing:\n${parts.map(describe).join('\n')}`,
    );
    this.name = 'PartsMissing';
    this.parts = parts;
  }
}

export async function findPart(name: PartName): Promise<Part | undefined> {
  return (await inspectPart(name)).part;
}

/** Like `findPart`, and says of a missing one what was seen instead and which command installs it. */
export async function inspectPart(name: PartName): Promise<Inspection> {
  return inspect(name, await surroundings());
}

/**
 * Finds the programs, and installs those that are missing as far as this user may.
 * @param say takes lines for people: long builds are reported every ten seconds
 * @throws PartsMissing all that is still missing, each with the command that installs it
 */
export async function needParts<N extends PartName>(
  names: readonly N[],
  say: Say,
  given?: Surroundings,
): Promise<Record<N, Part>> {
  const around = given ?? (await surroundings());
  const look = () => Promise.all(names.map((name) => inspect(name, around)));
  const first = await look();
  const installable = absentAmong(first).filter(({ variable }) => variable === undefined);
  const reasons = await installParts(
    installable.map(({ name }) => name),
    around,
    say,
  );
  const found = installable.length === 0 ? first : await look();
  const absent = absentAmong(found);
  if (absent.length > 0)
    throw new PartsMissing(absent.map((part) => ({ ...part, reason: reasons.get(part.name) ?? part.reason })));
  return Object.fromEntries(found.flatMap(({ part }) => (part ? [[part.name, part]] : []))) as Record<N, Part>;
}

function absentAmong(inspections: Inspection[]): MissingPart[] {
  return inspections.flatMap(({ missing }) => (missing === undefined ? [] : [missing]));
}

function describe({ wanted, purpose, reason, command }: MissingPart): string {
  return `  ${wanted} (${purpose}): ${reason.replaceAll('\n', '\n    ')}\n    ${command}`;
}
