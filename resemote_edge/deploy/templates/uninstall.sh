#!/bin/sh
# Removes what install.sh put into its prefix, and the prefix if nothing else is in it. It can be stopped and run again.
set -eu

PREFIX=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
DRY_RUN=no
YES=no

fail() {
  printf 'Error: %s\n       %s\n' "$1" "$2" >&2
  exit "${3:-1}"
}

while [ "$#" -gt 0 ]; do
  case $1 in
    --prefix) [ "$#" -gt 1 ] || fail "--prefix needs a value" "run uninstall.sh --help" 2; PREFIX=${2%/}; shift ;;
    --prefix=*) PREFIX=${1#*=}; PREFIX=${PREFIX%/} ;;
    --dry-run) DRY_RUN=yes ;;
    --yes | -y) YES=yes ;;
    -h | --help)
      printf 'Usage: uninstall.sh [--prefix DIR] [--yes] [--dry-run]\n\n  Remove resemote from DIR.  [default: the folder of this script]\n'
      exit 0 ;;
    *) fail "there is no option '$1'" "run uninstall.sh --help" 2 ;;
  esac
  shift
done
MARK=$PREFIX/.resemote-prefix
[ -e "$MARK" ] || fail "$PREFIX: no .resemote-prefix in it, so install.sh did not make it" "name the prefix with --prefix DIR"

# Emulators do not know every way to ask, so something is written.
if [ "$DRY_RUN" = no ]; then
  { mkdir "$PREFIX/.resemote-$$" 2>/dev/null && rmdir "$PREFIX/.resemote-$$"; } ||
    fail "$PREFIX: this user cannot write there" "run it with sudo"
fi
if [ "$DRY_RUN" = no ] && [ "$YES" = no ]; then
  [ -t 0 ] || fail "there is no terminal to ask on" "pass --yes" 2
  printf 'Remove resemote from %s? [y/N] ' "$PREFIX"
  read -r answer || answer=''
  case $answer in y | Y | yes) ;; *) printf 'Nothing was changed.\n'; exit 1 ;; esac
fi

run() {
  if [ "$DRY_RUN" = yes ]; then printf 'would run: %s\n' "$*"; else "$@"; fi
}

if [ "$DRY_RUN" = no ] && command -v flock >/dev/null 2>&1; then
  exec 9>"$PREFIX/.lock"
  flock -w 60 9 || fail "install.sh is still at work in $PREFIX" "end it, and run uninstall.sh again"
fi
if [ -e "$PREFIX/.service" ]; then
  if command -v systemctl >/dev/null 2>&1; then run systemctl disable --now resemote-camera || true; fi
  run rm -f /etc/systemd/system/resemote-camera.service
  if command -v systemctl >/dev/null 2>&1; then run systemctl daemon-reload || true; fi
  run rm -f "$PREFIX/.service"
fi
run rm -f "$PREFIX/current" "$PREFIX/current.part"
for folder in versions cache logs; do run rm -rf "${PREFIX:?}/$folder"; done
for folder in "$PREFIX"/build-*; do if [ -d "$folder" ]; then run rm -rf "$folder"; fi; done
made=$(cat "$MARK")
# The mark is last: until then, this script knows what it may remove.
run rm -f "$PREFIX/uninstall.sh" "$PREFIX/uninstall.sh.part" "$PREFIX/.lock" "$MARK.part" "$MARK"
[ "$DRY_RUN" = no ] || { printf 'Nothing was changed.\n'; exit 0; }
# Folders that install.sh made, innermost first, as far as they are empty.
printf '%s\n' "$made" | awk 'NF {line[++n] = $0} END {for (; n; --n) print line[n]}' | while IFS= read -r folder; do
  rmdir "$folder" 2>/dev/null || true
done
if [ -d "$PREFIX" ]; then
  printf 'Removed resemote. The folder %s stays, because install.sh did not make it, or it holds other files.\n' "$PREFIX"
else
  printf 'Removed resemote from %s.\n' "$PREFIX"
fi
