/** The command that installs a program here, as a person would type it. */
import { aptPackages, aptPackagesForTools } from './apt.ts';
import { buildCommand, lowestGo, missingTools } from './build.ts';
import type { Build, Recipe } from './recipe.ts';
import type { Surroundings } from './surroundings.ts';

export async function commandFor(recipe: Recipe, around: Surroundings): Promise<string> {
  const { packageManager: manager } = around;
  const packages =
    manager === 'apt' ? await aptPackages(recipe, around) : manager !== 'unknown' && recipe.packages[manager];
  if (packages) return installCommand(packages, around);
  if (recipe.build !== undefined) return buildByHand(recipe.build, around);
  if (recipe.name === 'postgresql' && manager === 'apt') return postgresqlFromPgdg(recipe.lowest, around);
  return `install ${recipe.title} ${recipe.lowest} or newer, then set ${recipe.variable} to its path`;
}

/** Only what PostgreSQL itself publishes is new enough on older systems. */
function postgresqlFromPgdg(version: string, around: Surroundings): string {
  const setUp = `${asRoot(around)}/usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y`;
  return `${installCommand(['postgresql-common'], around)} && ${setUp} && ${installCommand([`postgresql-${version}`], around)}`;
}

async function buildByHand(build: Build, around: Surroundings): Promise<string> {
  const tools = await missingTools(build, around);
  const own = build.tool === 'mvn' ? 'run this again' : buildCommand(build, around.cache);
  if (tools.length === 0) return buildCommand(build, around.cache);
  const packages = await packagesForTools(tools, around);
  if (packages !== undefined) return `${installCommand(packages, around)} && ${own}`;
  const wanted = tools.map((tool) => (tool === 'go' ? `Go ${lowestGo} or newer (https://go.dev/dl/)` : tool));
  return `install ${wanted.join(' and ')}, then: ${own}`;
}

async function packagesForTools(tools: string[], around: Surroundings): Promise<string[] | undefined> {
  const { packageManager } = around;
  if (packageManager === 'apt') return aptPackagesForTools(tools, around);
  if (packageManager === 'brew')
    return tools.map((tool) => ({ go: 'go', mvn: 'maven', java: 'openjdk', 'python3-venv': 'python' })[tool] ?? tool);
  if (packageManager === 'dnf')
    return tools.map(
      (tool) =>
        ({ go: 'golang', mvn: 'maven', java: 'java-latest-openjdk-headless', 'python3-venv': 'python3' })[tool] ?? tool,
    );
  return undefined;
}

function installCommand(packages: string[], around: Surroundings): string {
  const names = packages.join(' ');
  if (around.packageManager === 'brew') return `brew install ${names}`;
  if (around.packageManager === 'dnf') return `${asRoot(around)}dnf install -y ${names}`;
  return `${asRoot(around)}apt-get install -y --no-install-recommends ${names}`;
}

function asRoot({ isRoot }: Surroundings): string {
  return isRoot ? '' : 'sudo ';
}
