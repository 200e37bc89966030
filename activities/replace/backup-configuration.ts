/**
 * The configuration that came with the backup, where there is no live directory that could give production's of today. What the plan says
 * of a member holds in any case: its port, and into which stanza it archives.
 */
import { chmod, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Member, PhysicalBackups } from '../../plan/schema.ts';
import { settingsIn, withoutRecovery } from '../../recovery/server-configuration.ts';
import { runTool } from '../child.ts';
import { settingsOf, withSettings } from '../cluster/follower.ts';
import { archivingOf } from '../cluster/server-facts.ts';
import { writeDurably } from '../cluster/standby-only.ts';
import type { Following } from '../contract.ts';
import { failure } from '../failure.ts';
import type { Permit } from '../permit.ts';
import { type Controlled, permitServerControl } from '../permit-control.ts';
import { keptSettings } from '../postgres/configuration.ts';
import { exists, type Places, permittedPlaces } from '../postgres/scratch.ts';
import type { Row } from '../postgres/session.ts';
import type { Found, Scratch } from '../shapes.ts';

/**
 * Reads only: before anybody is asked whether the restored server may go live.
 *
 * @throws ConfigurationUnfit what would start is not there, or would not archive @throws NotPermitted @throws PlanInvalid
 */
export async function ownConfiguration(ask: {
  scratch: Scratch;
  member: Member;
  backups: PhysicalBackups;
}): Promise<Found> {
  const controlled = await permitServerControl(ask.member);
  const { places } = await permittedPlaces(ask.scratch);
  return {
    found: await judged({ ...ask, places }, controlled),
    expected: 'a configuration that is whole, and archives',
  };
}

interface Keeping {
  member: Member;
  backups: PhysicalBackups;
  places: Places;
  follow?: Following;
}

/** Safe to repeat. Yields what is kept, in words. */
export async function keepConfiguration(keeping: Keeping, controlled: Controlled): Promise<string> {
  const { places, member, follow } = keeping;
  const words = await judged(keeping, controlled);
  const source = await sourceOf(keeping, controlled.permit);
  const settings: Record<string, string> = follow === undefined ? {} : await settingsOf(follow);
  if (Number(await settingIn(source, 'port')) !== member.port) settings.port = String(member.port);
  const auto = withSettings(source.auto, settings);
  // It holds the standby's password, where the plan gives one.
  await writeDurably(join(places.data, 'postgresql.auto.conf'), auto);
  await writeDurably(join(places.data, 'postmaster.opts'), startOf(member, source));
  await rm(join(places.data, 'postmaster.pid'), { force: true });
  // The replay had closed it.
  const { mode } = await stat(join(places.data, 'global'));
  await chmod(join(places.data, 'pg_tblspc'), mode & 0o777);
  return words;
}

/** What `pg_ctl` would have written: a backup does not hold it. */
function startOf({ dataDirectory }: Member, { permit, file, inside }: Source): string {
  const words = ['-D', dataDirectory, ...(inside ? [] : ['-c', `config_file=${file}`])];
  return `${join(permit.postgresql, 'postgres')} ${words.map((word) => `"${word}"`).join(' ')}\n`;
}

/** From where a server takes its settings. */
interface Source {
  permit: Permit;
  places: Places;
  file: string;
  /** It lies in the data directory. */
  inside: boolean;
  /** The text of postgresql.auto.conf as it will be, without what a recovery or a standby had set. */
  auto: string;
}

async function sourceOf({ member, places }: Pick<Keeping, 'member' | 'places'>, permit: Permit): Promise<Source> {
  const kept = await readFile(keptSettings(places), 'utf8').catch(() => '');
  const auto = withoutRecovery(kept, { staysStandby: false });
  const own = join(places.data, 'postgresql.conf');
  if (await exists(own)) return { permit, places, auto, file: own, inside: true };
  for (const file of await outside()) {
    const settings = settingsIn(await readFile(file, 'utf8').catch(() => ''));
    const named = settings.filter(({ name }) => name === 'data_directory').at(-1);
    if (named?.value === member.dataDirectory) return { permit, places, auto, file, inside: false };
  }
  throw unfit(
    member,
    `the backup holds no postgresql.conf, and none in ${outsideRoot} names ${member.dataDirectory} as its data_directory`,
  );
}

/** Debian's place: `<version>/<cluster>/postgresql.conf`. */
const outsideRoot = '/etc/postgresql';

async function outside(): Promise<string[]> {
  const below = async (folder: string) =>
    (await readdir(folder).catch(() => [])).map((name) => join(folder, name)).sort();
  const clusters = await Promise.all((await below(outsideRoot)).map(below));
  return clusters.flat().map((cluster) => join(cluster, 'postgresql.conf'));
}

async function judged(keeping: Keeping, { permit }: Controlled): Promise<string> {
  const { member, backups } = keeping;
  const source = await sourceOf(keeping, permit);
  const rules = placeNow(await settingIn(source, 'hba_file'), keeping);
  if (!(await exists(rules))) throw unfit(member, `${rules} is not there, which says who is let in`);
  for (const socket of (await settingIn(source, 'unix_socket_directories')).split(',').map((one) => one.trim()))
    if (socket.startsWith('/') && !(await exists(socket)))
      throw unfit(member, `there is no directory ${socket} for its socket (unix_socket_directories)`);
  const archiving: Row = {};
  for (const name of ['archive_mode', 'archive_library', 'archive_command'])
    archiving[name] = await settingIn(source, name);
  const { fit, why } = await archivingOf(archiving, backups);
  if (!fit) throw unfit(member, `with it ${why}`);
  return `${source.inside ? 'the configuration of the backup' : source.file}, which archives into stanza ${backups.stanza}, with port ${member.port}`;
}

/** As the server itself reads it: with all files that it includes, and what ALTER SYSTEM has set. */
async function settingIn({ permit, places, file, auto }: Source, name: string): Promise<string> {
  const set = settingsIn(auto).flatMap((one) => ['-c', `${one.name}=${one.value}`]);
  const words = ['-C', name, '-D', places.data, `--config-file=${file}`, ...set];
  const { code, stdout, stderr } = await runTool(join(permit.postgresql, 'postgres'), words);
  if (code === 0) return stdout.trim();
  // Of a later version than this one.
  if (stderr.includes('unrecognized configuration parameter')) return '';
  throw failure(
    'ConfigurationUnfit',
    `${file} cannot be read as a configuration of PostgreSQL (postgres -C ${name}, exit ${code}): ${stderr.trim().slice(-300)}. Correct what it includes, then start again.`,
  );
}

/** What is named in the data directory lies beside it still. */
function placeNow(path: string, { member, places }: Pick<Keeping, 'member' | 'places'>): string {
  return path.startsWith(`${member.dataDirectory}/`)
    ? join(places.data, path.slice(member.dataDirectory.length))
    : path;
}

function unfit({ host }: Member, seen: string): Error {
  return failure(
    'ConfigurationUnfit',
    `the restored server on ${host} could not serve as production: ${seen}. Bring it back as whoever manages this host keeps it, then start again.`,
  );
}
