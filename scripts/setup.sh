# Sourced by demo and test: makes the clone ready to run, and says what it does. POSIX sh.
# Sets root to the clone's directory.

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 1

if ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
  echo "Lifeboat needs Node.js 20.20 or newer with npm, and found none on PATH: install it from https://nodejs.org/ or with your package manager." >&2
  exit 1
fi
if ! node -e 'const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 20 || (major === 20 && minor >= 20) ? 0 : 1)'; then
  echo "Lifeboat needs Node.js 20.20 or newer, and found $(node --version) at $(command -v node): install a newer one from https://nodejs.org/ or with your package manager." >&2
  exit 1
fi

node "$root/scripts/set-up.mjs" || exit 1
