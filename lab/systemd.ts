/**
 * A machine of its own that systemd keeps, on this one: PID 1 in namespaces of processes, mounts, control groups and names, over a layer above
 * this machine's own files that is gone with it. It shares the network, so what listens on loopback in there answers out here. Only root can
 * have one.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { command } from './command.ts';
import { type Ground, launch } from './site.ts';

export interface Machine {
  /** Words before those of a program that make it run in there, as root. */
  enter: readonly string[];
  /** Runs a program in there, as root, and returns what it printed. */
  run(...words: string[]): Promise<string>;
  /** Makes a file, and the folders on its way. */
  write(path: string, text: string, mode?: string): Promise<void>;
  /** Nothing of it is left. */
  stop(): Promise<void>;
}

export interface MachineWanted {
  /** systemd itself. */
  systemd: string;
  hostname: string;
  /** An empty folder of this one's own. */
  directory: string;
}

/** What is in the way of having one here; undefined when nothing is. */
export async function whyNoMachine(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'systemd runs on Linux only';
  if (process.getuid?.() !== 0) return 'only root can have namespaces of mounts and control groups';
  const script = `mount -t tmpfs lifeboat /mnt && mkdir /mnt/upper /mnt/work /mnt/merged /mnt/groups
    mount -t cgroup2 none /mnt/groups && mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/merged`;
  const tried = await execa('unshare', [...alone, '--pid', '--fork', '--cgroup', 'sh', '-e', '-c', script], {
    reject: false,
    timeout: 20_000,
  });
  return tried.failed ? `this machine does not allow it: ${`${tried.stderr}`.trim() || tried.shortMessage}` : undefined;
}

/** Mounts that nobody else sees. */
const alone = ['--mount', '--propagation', 'private'] as const;

export async function startMachine(ground: Ground, wanted: MachineWanted): Promise<Machine> {
  const { directory, hostname, systemd } = wanted;
  await mkdir(directory, { recursive: true });
  const group = `lifeboat-${randomBytes(6).toString('hex')}`;
  const started = await launch(ground, {
    name: hostname,
    command: 'unshare',
    args: [...alone, 'sh', '-e', '-c', outer, 'outer', directory, group, inner, hostname, systemd],
    // It takes no other signal while it waits for systemd, which ends with it.
    stopSignal: 'SIGKILL',
    readyWithinMs: 90_000,
    ready: async () => (await state(ground.processes.get(hostname)?.pid)) === 'running',
  }).catch(async (error) => {
    await removeGroup(directory, group);
    throw error;
  });
  const enter = await wordsToEnter(started.pid);
  const [file = '', ...rest] = enter;
  const run = (...words: string[]) => command(file, [...rest, ...words]);
  return {
    enter,
    run,
    write: async (path, text, mode = '0644') => {
      const script = 'mkdir -p "$(dirname "$1")" && cat > "$1" && chmod "$2" "$1"';
      await command(file, [...rest, 'sh', '-e', '-c', script, 'write', path, mode], { input: text });
    },
    stop: async () => {
      await started.stop();
      await removeGroup(directory, group);
    },
  };
}

/** `running` once everything that was to be started is. */
async function state(pid: number | undefined): Promise<string> {
  const [file = '', ...words] = await wordsToEnter(pid);
  const { stdout } = await execa(file, [...words, 'systemctl', 'is-system-running'], {
    reject: false,
    timeout: 10_000,
  });
  return stdout.trim();
}

async function wordsToEnter(unshare: number | undefined): Promise<string[]> {
  const children = (await readFile(`/proc/${unshare}/task/${unshare}/children`, 'utf8')).trim();
  if (!/^\d+$/.test(children)) throw new Error(`process ${unshare} has not started systemd`);
  return ['/usr/bin/nsenter', '--target', children, '--mount', '--pid', '--uts', '--ipc', '--cgroup', '--'];
}

/** The kernel keeps a control group that nobody is in any more. */
async function removeGroup(directory: string, group: string): Promise<void> {
  const script = `mount -t cgroup2 none "$1" && if [ -d "$1/$2" ]; then find "$1/$2" -depth -type d -exec rmdir {} ';'; fi`;
  await command('unshare', [...alone, 'sh', '-e', '-c', script, 'remove', directory, group]);
}

/** In a group of its own, so that systemd takes that for the root of all. */
const outer = `
root=$1
mount -t tmpfs -o mode=755 lifeboat "$root"
mkdir "$root/groups" "$root/upper" "$root/work" "$root/merged"
mount -t cgroup2 none "$root/groups"
mkdir "$root/groups/$2"
echo $$ > "$root/groups/$2/cgroup.procs"
exec unshare --mount --pid --fork --uts --ipc --cgroup --kill-child sh -e -c "$3" inner "$root" "$4" "$5"
`;

/** What would change the kernel's settings, the devices or the clock of the machine below. */
const unwanted = [
  ...[
    'systemd-tmpfiles-setup',
    'systemd-tmpfiles-setup-dev',
    'systemd-sysctl',
    'systemd-udevd',
    'systemd-udev-trigger',
  ],
  ...['systemd-modules-load', 'systemd-random-seed', 'systemd-update-utmp', 'systemd-firstboot', 'systemd-sysusers'],
  ...['systemd-machine-id-commit', 'systemd-binfmt', 'systemd-pstore', 'systemd-hwdb-update', 'systemd-remount-fs'],
  ...['systemd-timesyncd', 'systemd-networkd', 'systemd-resolved', 'keyboard-setup', 'console-setup', 'apparmor'],
];

const inner = `
root=$1
m=$root/merged
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=/,upperdir=$root/upper,workdir=$root/work" "$m"
mount -t proc proc "$m/proc"
mount --bind "$m/proc/sys" "$m/proc/sys"
mount -o remount,bind,ro "$m/proc/sys"
mount -t sysfs -o ro sysfs "$m/sys"
mount -t cgroup2 none "$m/sys/fs/cgroup"
mount -t tmpfs -o mode=755 dev "$m/dev"
for d in null zero full random urandom tty; do touch "$m/dev/$d"; mount --bind "/dev/$d" "$m/dev/$d"; done
mkdir "$m/dev/pts" "$m/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$m/dev/pts"
mount -t tmpfs -o mode=1777 shm "$m/dev/shm"
ln -s pts/ptmx "$m/dev/ptmx"
ln -s /proc/self/fd "$m/dev/fd"
mount -t tmpfs -o mode=755 run "$m/run"
mkdir -p "$m/etc/systemd/system"
for u in ${unwanted.join(' ')}; do ln -sf /dev/null "$m/etc/systemd/system/$u.service"; done
cat > "$m/etc/systemd/system/lifeboat.target" <<'TARGET'
[Unit]
Requires=sysinit.target dbus.socket dbus.service
After=sysinit.target dbus.service
AllowIsolate=yes
TARGET
: > "$m/etc/fstab"
tr -d - < /proc/sys/kernel/random/uuid > "$m/etc/machine-id"
hostname "$2"
echo "$2" > "$m/etc/hostname"
echo "127.0.0.1 localhost $2" > "$m/etc/hosts"
mkdir -p "$m/.below"
cd "$m"
pivot_root . .below
umount -l /.below
exec env -i container=lifeboat PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$3" --unit=lifeboat.target --log-target=console
`;
