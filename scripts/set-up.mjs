/** Installs the npm packages and builds, each only when something has changed. Plain JavaScript: it runs before there is a build. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const stamp = join(root, 'dist', '.built-from');

// Not `npm ci`: it wants the packages of every platform in the lock file, and not every registry has them all.
// Versions and hashes are the lock file's all the same, and --no-save leaves it as it is.
if (!packagesInstalled())
  await npm('installing the npm packages', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund']);
const sources = hashOfSources();
if (read(stamp) !== sources) {
  await npm('building', ['run', '--silent', 'build']);
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(stamp, sources);
}

/** npm writes down last what it has installed: an interrupted installation is seen as none. */
function packagesInstalled() {
  const wanted = packagesIn('package-lock.json');
  const installed = packagesIn(join('node_modules', '.package-lock.json'));
  // Optional ones are for other systems.
  const needed = Object.entries(wanted).filter(([path, { optional }]) => path !== '' && !optional);
  return needed.every(([path, { version }]) => installed[path]?.version === version);
}

function packagesIn(file) {
  const text = read(join(root, file));
  return text === undefined ? {} : JSON.parse(text).packages;
}

/** Of what the build reads: times of change say little after a checkout. */
function hashOfSources() {
  const { include } = JSON.parse(readFileSync(join(root, 'tsconfig.build.json'), 'utf8'));
  const files = include.flatMap(filesBelow).filter((file) => file.endsWith('.ts'));
  const hash = createHash('sha256');
  for (const file of ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', ...files.sort()])
    hash.update(`${file}\0`).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function filesBelow(directory) {
  if (!existsSync(join(root, directory))) return [];
  const entries = readdirSync(join(root, directory), { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}

/** Quiet when all goes well; everything that was printed when it does not. */
async function npm(doing, args) {
  const startedAt = Date.now();
  process.stderr.write(`${doing} ...`);
  const child = spawn('npm', args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => printed.push(data));
  const failed = await new Promise((resolve) => {
    child.on('error', (error) => resolve(printed.push(Buffer.from(`${error.message}\n`)) > 0));
    child.on('close', (code) => resolve(code !== 0));
  });
  process.stderr.write(` ${failed ? 'FAILED' : 'done'} in ${Math.round((Date.now() - startedAt) / 1000)} s\n`);
  if (!failed) return;
  process.stderr.write(Buffer.concat(printed));
  process.stderr.write(`npm ${args.join(' ')} ended with an error, printed above. It ran in ${root}.\n`);
  process.exit(1);
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
