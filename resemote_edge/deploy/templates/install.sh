#!/bin/sh
# Installs this bundle on a board: README.html says what happens. It changes nothing outside of its prefix, unless --service
# is given. It can be stopped at any time and run again: steps that are complete are not repeated.
set -eu
umask 022

HERE=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
# Facts about the board and the bundle, written by 'resemote-edge bundle'.
# shellcheck source=/dev/null disable=SC2153
. "$HERE/bundle.conf"

PREFIX=''
ENGINE_PATH=''
BENCH=full
CAMERA=auto
COMPILE_ALL=no
SERVICE=no
DRY_RUN=no
YES=no
IGNORE=no

usage() {
  cat <<END
Usage: ./install.sh [OPTIONS]

  Install resemote $BUNDLE_VERSION for $BOARD_DESCRIPTION.

Options:
  --prefix DIR           Folder to install into.  [default: /opt/resemote, or ~/.local/opt/resemote without root]
  --yes                  Do not ask.
  --dry-run              Print every step and what the preflight finds, and change nothing.
  --engine-library PATH  Shared library of $ENGINE, or its folder.  [default: the bundle's, or where the loader looks]
  --bench full|short|none  Benchmark: about a minute, two calls, or none.  [default: full]
  --camera auto|yes|no   Compile 'resemote camera' on this board. It needs OpenCV.  [default: if OpenCV is found]
  --compile              Compile the library and the tools on this board, even if the bundle has them.
  --service              Install the unit of the camera service into /etc/systemd/system; it is not started.
  --ignore-preflight     Go on although the preflight found something that is likely to fail.
  -h, --help             Show this message and exit.
END
}

# --- Words -----------------------------------------------------------------------------------------------------------

say() { printf '%s\n' "$*"; }

# fail WHAT-FAILED-AND-WAS-FOUND WHAT-TO-DO [CODE]
fail() {
  printf 'Error: %s\n       %s\n' "$1" "$2" >&2
  exit "${3:-1}"
}

STEP=0
STEPS=8
step() {
  STEP=$((STEP + 1))
  printf '[%d/%d] %s\n' "$STEP" "$STEPS" "$1"
}

# --- Options ---------------------------------------------------------------------------------------------------------

value_of() { # value_of OPTION NUMBER-OF-ARGUMENTS-LEFT
  [ "$2" -gt 1 ] || fail "$1 needs a value" "run ./install.sh --help" 2
}

while [ "$#" -gt 0 ]; do
  case $1 in
    --prefix) value_of "$1" "$#"; PREFIX=$2; shift ;;
    --prefix=*) PREFIX=${1#*=} ;;
    --engine-library) value_of "$1" "$#"; ENGINE_PATH=$2; shift ;;
    --engine-library=*) ENGINE_PATH=${1#*=} ;;
    --bench) value_of "$1" "$#"; BENCH=$2; shift ;;
    --bench=*) BENCH=${1#*=} ;;
    --camera) value_of "$1" "$#"; CAMERA=$2; shift ;;
    --camera=*) CAMERA=${1#*=} ;;
    --compile) COMPILE_ALL=yes ;;
    --service) SERVICE=yes ;;
    --dry-run) DRY_RUN=yes ;;
    --yes | -y) YES=yes ;;
    --ignore-preflight) IGNORE=yes ;;
    -h | --help) usage; exit 0 ;;
    *) fail "there is no option '$1'" "run ./install.sh --help" 2 ;;
  esac
  shift
done
case $BENCH in full | short | none) ;; *) fail "--bench: '$BENCH' is not one of full, short, none" "run ./install.sh --help" 2 ;; esac
case $CAMERA in auto | yes | no) ;; *) fail "--camera: '$CAMERA' is not one of auto, yes, no" "run ./install.sh --help" 2 ;; esac

if [ -z "$PREFIX" ]; then
  if [ "$(id -u)" -eq 0 ]; then PREFIX=/opt/resemote; else PREFIX=${HOME:?}/.local/opt/resemote; fi
fi
case $PREFIX in /*) ;; *) PREFIX=$(pwd -P)/$PREFIX ;; esac
PREFIX=${PREFIX%/}
case $PREFIX in
  '' | *[!A-Za-z0-9/._+@-]* | */../* | */.. )
    fail "--prefix: '$PREFIX' has characters that the service's unit cannot hold, or leads upwards" \
      "name a folder with letters, digits and . _ + @ - alone" 2 ;;
esac
if [ -n "$ENGINE_PATH" ]; then
  [ -e "$ENGINE_PATH" ] || fail "--engine-library: $ENGINE_PATH does not exist" "name the shared library of $ENGINE" 2
  ENGINE_PATH=$(CDPATH='' cd -- "$(dirname -- "$ENGINE_PATH")" && pwd -P)/$(basename -- "$ENGINE_PATH")
fi
if [ "$SERVICE" = yes ] && [ "$(id -u)" -ne 0 ]; then
  fail "--service writes into /etc/systemd/system, and this is not root" "run it with sudo, or leave --service out" 2
fi

NEW=$PREFIX/versions/$BUNDLE_ID
CACHE=$PREFIX/cache
LOGS=$PREFIX/logs
MARK=$PREFIX/.resemote-prefix
TOOL=$NEW/bin/resemote

# --- Preflight -------------------------------------------------------------------------------------------------------

PROBLEMS=0
good() { printf '  ok    %s\n' "$1"; }
note() { printf '  note  %s\n' "$1"; }
# problem WHAT-WAS-FOUND WHAT-TO-DO
problem() {
  PROBLEMS=$((PROBLEMS + 1))
  printf '  FAIL  %s\n        %s\n' "$1" "$2"
}

# older A B: whether version A comes before version B. Not every sort has -V.
older() {
  awk -v a="$1" -v b="$2" 'BEGIN {
    n = split(a, x, "."); m = split(b, y, ".")
    for (i = 1; i <= (n > m ? n : m); ++i) {
      if (x[i] + 0 < y[i] + 0) exit 0
      if (x[i] + 0 > y[i] + 0) exit 1
    }
    exit 1
  }'
}

check_machine() {
  found=$(uname -m)
  if [ "$found" = "$MACHINE" ]; then good "processor: $found"; else
    problem "processor: $found, and this bundle is for $MACHINE" "make a bundle for this board: resemote-edge bundle --help"
  fi
  found=$(getconf GNU_LIBC_VERSION 2>/dev/null || ldd --version 2>/dev/null | head -n 1 || true)
  found=${found##* }
  case $found in
    [0-9]*.[0-9]*)
      if older "$found" "$GLIBC" && [ "$COMPILE_ALL" = yes ]; then
        note "glibc $found; the prebuilt files need $GLIBC, and they are compiled here instead"
      elif older "$found" "$GLIBC"; then
        problem "glibc $found, and the prebuilt files need $GLIBC" "use a newer system, or pass --compile"
      else good "glibc $found (needed: $GLIBC)"; fi ;;
    *) note "glibc: its version cannot be told; the prebuilt files need $GLIBC" ;;
  esac
}

check_l4t() {
  [ -n "$L4T_FIRST" ] || return 0
  if [ ! -f /etc/nv_tegra_release ]; then
    problem "no /etc/nv_tegra_release: this is no Jetson with JetPack" "this bundle is for $BOARD_DESCRIPTION"
    return 0
  fi
  # "# R32 (release), REVISION: 7.1, GCID: ..."
  found=$(sed -n '1s/^# R\([0-9]*\) (release), REVISION: \([0-9.]*\).*/\1.\2/p' /etc/nv_tegra_release)
  if [ -z "$found" ]; then
    problem "L4T: '$(head -n 1 /etc/nv_tegra_release)' names no release" "this bundle is for $BOARD_DESCRIPTION"
  elif older "$found" "$L4T_FIRST" || ! older "$found" "$L4T_BEYOND"; then
    problem "L4T $found, and this bundle is for $L4T_FIRST up to, but not including, $L4T_BEYOND ($BOARD_DESCRIPTION)" \
      "make a bundle for this JetPack: resemote-edge bundle --help lists the boards"
  else
    good "L4T $found"
  fi
}

# Prints the number of a macro of NvInferVersion.h; since TensorRT 10.13, it may be the name of another macro.
trt_number() {
  awk -v name="$2" '
    $1 == "#define" { value[$2] = $3 }
    END { v = value[name]; if (v !~ /^[0-9]/) v = value[v]; print v }' "$1"
}

check_tensorrt() {
  header=''
  for folder in ${TensorRT_ROOT:+"$TensorRT_ROOT/include"} "/usr/include/$MACHINE-linux-gnu" /usr/include /usr/local/tensorrt/include; do
    if [ -f "$folder/NvInferVersion.h" ]; then header=$folder/NvInferVersion.h; break; fi
  done
  if [ -z "$header" ]; then
    problem "TensorRT: its headers (NvInferVersion.h) were not found" "install JetPack's: sudo apt-get install libnvinfer-dev libnvonnxparsers-dev"
  else
    found=$(trt_number "$header" NV_TENSORRT_MAJOR).$(trt_number "$header" NV_TENSORRT_MINOR).$(trt_number "$header" NV_TENSORRT_PATCH)
    if older "$found" "$ENGINE_FIRST" || ! older "$found" "$ENGINE_BEYOND"; then
      problem "TensorRT $found, and this bundle is for $ENGINE_FIRST up to, but not including, $ENGINE_BEYOND" \
        "install the JetPack that this bundle is for ($BOARD_DESCRIPTION), or make a bundle for this one"
    else good "TensorRT $found ($header)"; fi
    # The libraries are checked where the headers are the system's.
    if [ -z "${TensorRT_ROOT:-}" ] && ! ldconfig -p 2>/dev/null | grep -q libnvinfer.so; then
      problem "TensorRT: libnvinfer.so is not known to the loader" "install JetPack's: sudo apt-get install libnvinfer8 (or libnvinfer10), then sudo ldconfig"
    fi
  fi
  cuda=${CUDA_HOME:-/usr/local/cuda}
  found=$(sed -n 's/^CUDA Version \([0-9.]*\).*/\1/p' "$cuda/version.txt" 2>/dev/null || true)
  [ -n "$found" ] || found=$(sed -n '/"cuda"/,/}/s/.*"version" *: *"\([0-9.]*\)".*/\1/p' "$cuda/version.json" 2>/dev/null | head -n 1 || true)
  if [ -z "$found" ]; then note "CUDA: no version in $cuda; JetPack has $CUDA_VERSION here"; else
    case $found in "$CUDA_VERSION" | "$CUDA_VERSION".*) good "CUDA $found" ;; *) note "CUDA $found, where JetPack has $CUDA_VERSION" ;; esac
  fi
}

check_engine_library() {
  if [ -n "$ENGINE_PATH" ]; then good "$ENGINE: $ENGINE_PATH"
  elif [ -n "$ENGINE_LIBRARY" ]; then good "$ENGINE: the bundle's"
  elif ldconfig -p 2>/dev/null | grep -q "$ENGINE_SONAME"; then good "$ENGINE: known to the loader"
  else
    problem "$ENGINE: no $ENGINE_SONAME in the bundle, and the loader knows none" \
      "name it: ./install.sh --engine-library PATH"
  fi
}

# Whether 'resemote camera' can be compiled: its sources are here, and OpenCV's headers are on this system.
has_opencv() {
  [ -d "$HERE/source/runtimes/tools/camera" ] || return 1
  pkg-config --exists opencv4 2>/dev/null && return 0
  for folder in /usr/lib/*/cmake/opencv4 /usr/share/OpenCV /usr/local/lib/cmake/opencv4 /usr/lib/cmake/opencv4; do
    [ -d "$folder" ] && return 0
  done
  return 1
}

# Which parts are compiled here: BUILD_LIBRARY and BUILD_TOOLS.
decide_compiling() {
  BUILD_LIBRARY=$COMPILED
  BUILD_TOOLS=no
  if [ "$COMPILE_ALL" = yes ]; then BUILD_LIBRARY=yes; BUILD_TOOLS=yes; fi
  if [ "$CAMERA" = yes ] || { [ "$CAMERA" = auto ] && has_opencv && missing_compilers >/dev/null; }; then BUILD_TOOLS=yes; fi
}

# Prints what is missing for compiling; false if anything is.
missing_compilers() {
  missing=''
  for tool in cmake make c++; do command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"; done
  printf '%s' "$missing"
  [ -z "$missing" ]
}

check_compilers() {
  if [ "$ENGINE" = openvino ] && [ "$BUILD_LIBRARY" = yes ]; then
    problem "--compile: the bundle carries no headers of OpenVINO, and its backend would be left out" "leave --compile out"
  fi
  if [ "$BUILD_LIBRARY$BUILD_TOOLS" = nono ]; then good "compilers: not needed"; return 0; fi
  if ! missing=$(missing_compilers); then
    problem "compilers:$missing not installed" "sudo apt-get install $PACKAGES"
    return 0
  fi
  found=$(cmake --version | sed -n '1s/cmake version //p')
  if older "$found" 3.10; then problem "cmake $found, and 3.10 is needed" "install a newer cmake"; else good "cmake $found, $(c++ --version | head -n 1)"; fi
  if [ "$CAMERA" = yes ] && ! has_opencv; then
    problem "OpenCV: its headers were not found, and 'resemote camera' needs them" "sudo apt-get install libopencv-dev, or leave --camera yes out"
  fi
}

check_memory() {
  free=$(awk '/^MemAvailable:/ {m = $2} /^SwapFree:/ {s = $2} END {print int((m + s) / 1024)}' /proc/meminfo)
  swap=$(awk '/^SwapTotal:/ {print int($2 / 1024)}' /proc/meminfo)
  needed=$MEMORY_MIB
  if [ "$BUILD_LIBRARY$BUILD_TOOLS" != nono ] && [ "$COMPILE_MEMORY_MIB" -gt "$needed" ]; then needed=$COMPILE_MEMORY_MIB; fi
  if [ "$free" -lt "$needed" ]; then
    problem "memory: $free MiB are free (swap: $swap MiB), and $needed MiB are needed" "$SWAP_ADVICE"
  else good "memory: $free MiB free with swap (needed: $needed MiB)"; fi
}

# The folder in which the prefix would be made.
existing_parent() {
  folder=$1
  while [ ! -d "$folder" ]; do folder=$(dirname -- "$folder"); done
  printf '%s' "$folder"
}

# Emulators do not know every way to ask, so something is written, except in a dry run.
can_write() {
  if [ "$DRY_RUN" = yes ]; then [ -w "$1" ]; else mkdir "$1/.resemote-$$" 2>/dev/null && rmdir "$1/.resemote-$$"; fi
}

check_disk() {
  where=$(existing_parent "$PREFIX")
  if ! can_write "$where"; then
    problem "$where: this user cannot write there" "run it with sudo, or pass --prefix DIR"
  fi
  free=$(df -Pk "$where" 2>/dev/null | awk 'NR == 2 {print int($4 / 1024)}')
  if [ -z "$free" ]; then note "disk: the free space of $where cannot be told"
  elif [ "$free" -lt "$DISK_MIB" ]; then
    problem "disk: $free MiB are free in $where, and $DISK_MIB MiB are needed" "free some space, or pass --prefix on another disk"
  else good "disk: $free MiB free in $where (needed: $DISK_MIB MiB)"; fi
}

check_power() {
  if command -v nvpmodel >/dev/null 2>&1; then
    found=$(nvpmodel -q 2>/dev/null | sed -n 's/^NV Power Mode: *//p' | head -n 1 || true)
    note "power mode: ${found:-cannot be told}. $POWER_ADVICE"
  elif [ -f /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor ]; then
    read -r found </sys/devices/system/cpu/cpu0/cpufreq/scaling_governor || true
    note "CPU governor: $found. $POWER_ADVICE"
  elif [ -n "$POWER_ADVICE" ]; then
    note "power mode: cannot be told. $POWER_ADVICE"
  fi
}

check_camera() {
  found=''
  for device in /dev/video*; do if [ -e "$device" ]; then found="$found $device"; fi; done
  if [ -n "$found" ]; then good "camera:$found"; else
    note "camera: no /dev/video*. Connect one before you start the camera; the installation does not need it"
  fi
}

check_bundle() {
  if found=$(cd "$HERE" && sha256sum --quiet -c SHA256SUMS 2>&1); then good "bundle: every file has its sha256"; else
    problem "bundle: $(printf '%s' "$found" | head -n 1)" "copy the bundle again: a file is damaged or missing"
  fi
}

check_tools() {
  missing=''
  for tool in awk sed flock sha256sum df getconf; do command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"; done
  [ -z "$missing" ] || fail "this system lacks$missing" "install the packages mawk, sed, util-linux and coreutils"
}

preflight() {
  step "Preflight: is this the board, and can it run the bundle?"
  check_bundle
  check_machine
  check_l4t
  if [ "$ENGINE" = tensorrt ]; then check_tensorrt; else check_engine_library; fi
  check_compilers
  check_memory
  check_disk
  check_power
  check_camera
  if [ "$PROBLEMS" -gt 0 ] && [ "$DRY_RUN" = no ]; then
    [ "$IGNORE" = yes ] || fail "the preflight found $PROBLEMS problems" \
      "mend what is marked FAIL above, or pass --ignore-preflight"
    say "  going on, because of --ignore-preflight"
  fi
}

# --- Doing -----------------------------------------------------------------------------------------------------------

CHILD=''
# What was started is ended, too. What it has written stays, and the next run goes on from there.
stopped() {
  trap '' INT TERM HUP
  [ -z "$CHILD" ] || { kill -TERM "$CHILD" 2>/dev/null || true; wait "$CHILD" 2>/dev/null || true; }
  printf '\nStopped in step %d. Run ./install.sh again to go on, or %s/uninstall.sh to undo it.\n' "$STEP" "$PREFIX" >&2
  exit "$1"
}

# Runs a command so that a signal ends it at once.
wait_for() {
  "$@" &
  CHILD=$!
  code=0
  wait "$CHILD" || code=$?
  CHILD=''
  return "$code"
}

# Runs a command with its output in a log, and says how far it is: with_log LOG WHAT COMMAND...
with_log() {
  log=$LOGS/$1
  what=$2
  shift 2
  "$@" >"$log" 2>&1 &
  CHILD=$!
  seconds=0
  while kill -0 "$CHILD" 2>/dev/null; do
    sleep 1
    seconds=$((seconds + 1))
    if [ $((seconds % 10)) -eq 0 ]; then
      part=$(sed -n 's/^\[ *\([0-9]*%\)\].*/\1/p' "$log" | tail -n 1)
      printf '  %s: %d s%s\n' "$what" "$seconds" "${part:+, $part}"
    fi
  done
  code=0
  wait "$CHILD" || code=$?
  CHILD=''
  if [ "$code" -ne 0 ]; then
    tail -n 15 "$log" >&2
    fail "$what failed with exit code $code (all of its output: $log)" "mend what it says above, and run ./install.sh again"
  fi
}

# Runs a command in a folder, as one process.
# shellcheck disable=SC2016 # the inner shell expands them
within() { exec sh -c 'cd "$1" && shift && exec "$@"' sh "$@"; }

would_run() { printf '  would run: %s\n' "$*"; }

done_before() { [ -e "$NEW/.done/$1" ]; }
mark_done() { : >"$NEW/.done/$1"; }

# A file appears whole or not at all.
put() { # put FROM TO
  cp -p -- "$1" "$2.part"
  mv -f -- "$2.part" "$2"
}

put_tree() { # put_tree FROM TO
  (cd "$1" && find . -type d) | while IFS= read -r name; do mkdir -p "$2/$name"; done
  (cd "$1" && find . -type f) | while IFS= read -r name; do put "$1/$name" "$2/$name"; done
}

is_empty() { # is_empty FOLDER; a lock alone is left by a run that was killed at its very start
  for each in "$1"/* "$1"/.[!.]*; do
    [ "$each" != "$1/.lock" ] || continue
    if [ -e "$each" ] || [ -L "$each" ]; then return 1; fi
  done
}

claim_prefix() {
  if [ -d "$PREFIX" ] && [ ! -e "$MARK" ] && ! is_empty "$PREFIX"; then
    fail "$PREFIX holds files that are not resemote's" "pass a --prefix that does not exist, or is empty"
  fi
  # Folders that are made for it, which uninstall.sh removes again.
  made=''
  folder=$PREFIX
  while [ ! -d "$folder" ]; do
    made="$folder
$made"
    folder=$(dirname -- "$folder")
  done
  mkdir -p "$PREFIX"
  take_lock
  if [ ! -e "$MARK" ]; then
    # From here on, uninstall.sh can undo everything.
    printf '%s' "$made" >"$MARK.part"
    mv -f "$MARK.part" "$MARK"
  fi
  put "$HERE/uninstall.sh" "$PREFIX/uninstall.sh"
  mkdir -p "$CACHE" "$LOGS" "$NEW/.done"
}

# Waits until nobody else is at work in the prefix. uninstall.sh may have removed the lock, and the folder, by then.
take_lock() {
  while :; do
    mkdir -p "$PREFIX"
    exec 9>"$PREFIX/.lock"
    if ! flock -n 9; then
      say "  another run, or a command that it started, is still at work in $PREFIX; waiting for it"
      flock -w 600 9 || fail "another run has been at work in $PREFIX for ten minutes" "end it, and run ./install.sh again"
    fi
    # shellcheck disable=SC3013 # dash, BusyBox and bash know -ef
    if [ "$PREFIX/.lock" -ef /proc/self/fd/9 ]; then return 0; fi
  done
}

install_files() {
  step "Files: artifacts, library and tools into $NEW"
  if [ "$DRY_RUN" = yes ]; then
    say "  would make: $NEW"
    for part in artifacts bin lib include licences; do say "  would copy: $HERE/$part -> $NEW/$part"; done
    return 0
  fi
  if done_before files && (cd "$NEW" && sha256sum --quiet -c .done/files >/dev/null 2>&1); then
    say "  done before"
    return 0
  fi
  # What was compiled here is replaced along with the rest, so it is compiled again.
  rm -f "$NEW"/.done/*
  for part in artifacts lib include licences; do put_tree "$HERE/$part" "$NEW/$part"; done
  mkdir -p "$NEW/libexec" "$NEW/bin"
  put "$HERE/bin/resemote" "$NEW/libexec/resemote"
  put "$HERE/resemote-wrapper" "$NEW/bin/resemote"
  link_library
  # What a later run compares with; library and tools may have been compiled here by then.
  sed -n '/^[0-9a-f]*  \(artifacts\|include\|licences\)\//p' "$HERE/SHA256SUMS" >"$NEW/.done/files.part"
  mv -f "$NEW/.done/files.part" "$NEW/.done/files"
}

# The names under which the loader and linkers look for the library.
link_library() {
  for library in "$NEW"/lib/libresemote.so.*.*.*; do library=$(basename -- "$library"); done
  ln -sfn "$library" "$NEW/lib/libresemote.so.$BUNDLE_ABI"
  ln -sfn "libresemote.so.$BUNDLE_ABI" "$NEW/lib/libresemote.so"
}

build() {
  step "Build: what is compiled on this board"
  if [ "$BUILD_LIBRARY$BUILD_TOOLS" = nono ]; then say "  nothing: the prebuilt library and tools are used"; return 0; fi
  jobs=$(awk -v each="$COMPILE_MEMORY_MIB" '/^MemAvailable:/ {n = int($2 / 1024 / each)} END {print n < 1 ? 1 : n}' /proc/meminfo)
  cores=$(getconf _NPROCESSORS_ONLN)
  [ "$jobs" -le "$cores" ] || jobs=$cores
  folder=$PREFIX/build-$BUNDLE_ID
  backend=OFF
  [ "$ENGINE" != tensorrt ] || backend=ON
  say "  library: $BUILD_LIBRARY, tools: $BUILD_TOOLS, TensorRT's backend: $backend, compiler processes: $jobs"
  if [ "$DRY_RUN" = yes ]; then
    say "  would run: cmake $HERE/source (in $folder), make -j$jobs, and the installation into $NEW"
    return 0
  fi
  if done_before "build-$BUILD_LIBRARY-$BUILD_TOOLS"; then say "  done before"; return 0; fi
  mkdir -p "$folder"
  # The words of CMake 3.10, which JetPack 4.6 has.
  tools=OFF
  [ "$BUILD_TOOLS" = no ] || tools=ON
  camera=ON
  [ "$CAMERA" != no ] || camera=OFF
  with_log cmake.log "configuring" within "$folder" cmake "$HERE/source" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_INSTALL_PREFIX="$folder/prefix" -DCMAKE_INSTALL_LIBDIR=lib \
    -DNLOHMANN_JSON_INCLUDE_DIR="$HERE/source/third-party" -DRESEMOTE_BACKEND_TENSORRT=$backend \
    -DRESEMOTE_BACKEND_OPENVINO=OFF -DRESEMOTE_BUILD_BENCHMARKS=OFF -DRESEMOTE_BUILD_EXAMPLES=OFF \
    -DRESEMOTE_BUILD_TOOLS=$tools -DRESEMOTE_BUILD_CAMERA=$camera
  with_log make.log "compiling" make -C "$folder" -j"$jobs"
  with_log make-install.log "stripping" within "$folder" cmake -DCMAKE_INSTALL_DO_STRIP=1 -P cmake_install.cmake
  for library in "$folder"/prefix/lib/libresemote.so.*.*.*; do
    [ "$BUILD_LIBRARY" = no ] || [ -L "$library" ] || put "$library" "$NEW/lib/$(basename -- "$library")"
  done
  if [ "$BUILD_TOOLS" = yes ]; then
    # resemote looks for resemote-camera beside itself. It is there if OpenCV was found.
    for program in "$folder"/prefix/bin/*; do put "$program" "$NEW/libexec/$(basename -- "$program")"; done
  fi
  mark_done "build-$BUILD_LIBRARY-$BUILD_TOOLS"
  rm -rf "$folder"
}

configure() {
  step "Engine library: where resemote finds $ENGINE"
  library=$ENGINE_PATH
  [ -n "$library" ] || { [ -z "$ENGINE_LIBRARY" ] || library=$NEW/$ENGINE_LIBRARY; }
  if [ "$DRY_RUN" = yes ]; then say "  would write: $NEW/engine.conf (${library:-where the loader looks})"; return 0; fi
  # Read by bin/resemote and by the service.
  if [ -n "$library" ]; then printf '%s=%s\n' "$ENGINE_VARIABLE" "$library"; fi >"$NEW/engine.conf.part"
  mv -f "$NEW/engine.conf.part" "$NEW/engine.conf"
  say "  ${library:-where the loader looks}"
}

# shellcheck disable=SC2153 # bundle.conf assigns it
session_options() {
  printf -- '--backend %s --device %s' "$ENGINE" "$DEVICE"
  # ONNX Runtime keeps nothing, and refuses a folder for it.
  if [ "$ENGINE" != onnxruntime ]; then printf -- ' --cache-dir %s' "$CACHE"; fi
}

build_engines() {
  step "Engines: built once for this board"
  if [ "$ENGINE" != tensorrt ]; then say "  nothing: $ENGINE loads the model files as they are"; return 0; fi
  for name in $ARTIFACTS; do
    # shellcheck disable=SC2046 # the options are words without spaces
    if [ "$DRY_RUN" = yes ]; then would_run "$TOOL" build "$NEW/artifacts/$name" $(session_options); else
      wait_for "$TOOL" build "$NEW/artifacts/$name" $(session_options) ||
        fail "the engine of $name could not be built" "mend what it says above, and run ./install.sh again"
    fi
  done
}

self_test() {
  step "Self-test: what every artifact must give"
  for name in $ARTIFACTS; do
    # shellcheck disable=SC2046
    if [ "$DRY_RUN" = yes ]; then would_run "$TOOL" verify "$NEW/artifacts/$name" $(session_options); else
      printf '  %s ' "$name"
      wait_for "$TOOL" verify "$NEW/artifacts/$name" $(session_options) ||
        fail "the self-test of $name was not passed" "mend what it says above, and run ./install.sh again. Nothing was switched to this version"
    fi
  done
}

benchmark() {
  step "Benchmark: $BENCH"
  [ "$BENCH" != none ] || { say "  left out, because of --bench none"; return 0; }
  set --
  for name in $CLASSIFIERS; do set -- "$@" "$NEW/artifacts/$name"; done
  case $BENCH in
    full) set -- "$@" --scenario single-stream,camera --batch 1,4 ;;
    short) set -- "$@" --scenario single-stream --batch 1 --warmup 1 --min-runs 2 --min-seconds 0 ;;
  esac
  # shellcheck disable=SC2046
  set -- bench "$@" $(session_options) -o "$NEW/bench.json" --force
  if [ "$DRY_RUN" = yes ]; then would_run "$TOOL" "$@"; return 0; fi
  mark=bench-$BENCH-$(printf '%s' "$BUILD_LIBRARY $ENGINE_PATH" | sha256sum | cut -c 1-12)
  if done_before "$mark"; then say "  done before: $NEW/bench.json"; return 0; fi
  wait_for "$TOOL" "$@" || fail "the benchmark failed" "mend what it says above, or pass --bench none"
  rm -f "$NEW"/.done/bench-*  # bench.json holds the figures of one of them
  mark_done "$mark"
}

switch() {
  step "Switch: $PREFIX/current becomes this version"
  if [ "$DRY_RUN" = yes ]; then
    say "  would write: $NEW/resemote-camera.service"
    say "  would link: $PREFIX/current -> versions/$BUNDLE_ID"
    [ "$SERVICE" = no ] || say "  would copy: $NEW/resemote-camera.service -> /etc/systemd/system"
    return 0
  fi
  sed "s|@PREFIX@|$PREFIX|g" "$HERE/resemote-camera.service" >"$NEW/resemote-camera.service.part"
  mv -f "$NEW/resemote-camera.service.part" "$NEW/resemote-camera.service"
  ln -sfn "versions/$BUNDLE_ID" "$PREFIX/current.part"
  mv -T -f "$PREFIX/current.part" "$PREFIX/current"
  if [ "$SERVICE" = yes ]; then
    : >"$PREFIX/.service"
    put "$NEW/resemote-camera.service" /etc/systemd/system/resemote-camera.service
    systemctl daemon-reload || note "systemd does not run here; the unit is read when it does"
  fi
}

summary() {
  current=$PREFIX/current
  first=${CLASSIFIERS%% *}
  say ""
  say "Installed: resemote $BUNDLE_VERSION with $(printf '%s' "$CLASSIFIERS" | wc -w | tr -d ' ') classifier(s) in $PREFIX"
  say "  self-test:  $current/bin/resemote verify $current/artifacts/$first $(session_options)"
  [ ! -e "$NEW/bench.json" ] || say "  benchmark:  $current/bench.json (on a PC: resemote-edge bench import bench.json)"
  if "$current/bin/resemote" camera --help >/dev/null 2>&1; then
    say "  camera:     $(printf '%s' "$CAMERA_COMMAND" | sed "s|@PREFIX@|$PREFIX|g")"
    if [ "$SERVICE" = yes ]; then say "  service:    sudo systemctl enable --now resemote-camera"
    else say "  service:    sudo ./install.sh --prefix $PREFIX --yes --service${ENGINE_PATH:+ --engine-library $ENGINE_PATH}"; fi
  else
    say "  camera:     not compiled, because OpenCV or a compiler was not found. To have it:"
    say "              sudo apt-get install libopencv-dev $PACKAGES, then ./install.sh --camera yes"
  fi
  say "  undo:       $PREFIX/uninstall.sh"
}

# --- In order --------------------------------------------------------------------------------------------------------

check_tools
decide_compiling
say "resemote $BUNDLE_VERSION for $BOARD_DESCRIPTION, into $PREFIX"
if [ "$DRY_RUN" = no ] && [ "$YES" = no ]; then
  [ -t 0 ] || fail "there is no terminal to ask on" "pass --yes" 2
  printf 'Install? [y/N] '
  read -r answer || answer=''
  case $answer in y | Y | yes) ;; *) say "Nothing was changed."; exit 1 ;; esac
fi
preflight
if [ "$DRY_RUN" = no ]; then
  trap 'stopped 130' INT
  trap 'stopped 143' TERM
  trap 'stopped 129' HUP
  claim_prefix
fi
install_files
build
configure
build_engines
self_test
benchmark
switch
if [ "$DRY_RUN" = yes ]; then
  say "Nothing was changed. The preflight found $PROBLEMS problems."
else
  summary
fi
