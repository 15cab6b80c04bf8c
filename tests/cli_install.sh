#!/bin/sh
# What a package is made of: make install and uninstall, pkg-config, CMake, the folder for Arduino and PlatformIO. Each is used
# as its user would: a program is built with it and run.
. ./cli.sh

cc=${CC:-cc}
root=$work/root
build=$(cd "$(dirname "$synergy")" && pwd)
number=$("$synergy" version | sed 's/synergy //')
cat > "$work/two.c" <<'EOF'
#define SYNERGY_IMPLEMENTATION
#include "synergy.h"
#include <stdio.h>
int main(void)
{
    static const double x[8] = { 1, 2, 1, 3, 2, 5, 3, 4 }, y[8] = { 2, 1, 3, 1, 4, 2, 6, 3 };
    double atom[SYN_ATOMS];
    const syn_flags bad = syn_phiid_pair(x, y, 8, NULL, atom);
    printf("%d %d\n", syn_version() == SYNERGY_VERSION, (int)bad);
    return 0;
}
EOF
# says_ok TEXT PROGRAM: it runs and prints what two.c prints
says_ok() {
    if [ "$("$2" 2>&1)" = "1 0" ]; then good; else bad "$1: the program says '$("$2" 2>&1)', not '1 0'"; fi
}

make_tools() {
    make --no-print-directory -C ../tools BUILD="$build" "$@"
}

# ---- install

try "install" make_tools install PREFIX=/usr DESTDIR="$root"
(cd "$root" && find . -type f | LC_ALL=C sort) > "$work/files"
cat > "$work/expected" <<'EOF'
./usr/bin/synergy
./usr/include/synergy.h
./usr/share/bash-completion/completions/synergy
./usr/share/man/man1/synergy.1
./usr/share/pkgconfig/synergy.pc
./usr/share/zsh/site-functions/_synergy
EOF
try "what is installed" diff "$work/files" "$work/expected"
if [ "$("$root/usr/bin/synergy" version 2>&1)" = "synergy $number" ]; then good; else bad "the installed program does not run"; fi
try "the header is ours" cmp ../synergy.h "$root/usr/include/synergy.h"
if grep -rqF "$work" "$root/usr/share"; then bad "an installed text names DESTDIR"; else good; fi
try "install again" make_tools install PREFIX=/usr DESTDIR="$root"
echo keep > "$root/usr/include/other.h"
try "uninstall" make_tools uninstall PREFIX=/usr DESTDIR="$root"
(cd "$root" && find . -type f) > "$work/files"
if [ "$(cat "$work/files")" = "./usr/include/other.h" ]; then good; else bad "uninstall leaves or takes too much" "$work/files"; fi

# a prefix of its own, without DESTDIR, with a blank in DESTDIR
try "install to a prefix" make_tools install PREFIX="$root/own"
try "a blank in DESTDIR" make_tools install PREFIX=/usr DESTDIR="$work/with blank"
if [ -x "$work/with blank/usr/bin/synergy" ]; then good; else bad "nothing in a DESTDIR with a blank"; fi
try "a blank in PREFIX" make_tools install PREFIX="$root/a prefix"
if [ "$("$root/a prefix/bin/synergy" version 2>&1)" = "synergy $number" ]; then good; else bad "nothing runs in a PREFIX with a blank"; fi

# ---- pkg-config, as a user of the prefix calls it

if have pkg-config; then
    PKG_CONFIG_PATH=$root/own/share/pkgconfig
    export PKG_CONFIG_PATH
    try "pkg-config validates" pkg-config --validate synergy
    if [ "$(pkg-config --modversion synergy)" = "$number" ]; then good; else bad "pkg-config has version $(pkg-config --modversion synergy), not $number"; fi
    # shellcheck disable=SC2046 # flags are words
    try "a program by pkg-config" $cc -std=c99 -O1 -DSYNERGY_SIMD=0 $(pkg-config --cflags synergy) "$work/two.c" -o "$work/by-pkg" $(pkg-config --libs synergy)
    says_ok "by pkg-config" "$work/by-pkg"
    flags=$(PKG_CONFIG_PATH="$root/a prefix/share/pkgconfig" pkg-config --cflags synergy)
    if eval "$cc -std=c99 -DSYNERGY_SIMD=0 $flags -E \"$work/two.c\"" > /dev/null 2>&1; then good; else bad "pkg-config of a prefix with a blank says $flags"; fi
else skip "no pkg-config"; fi

# ---- CMake, as a subfolder and through FetchContent

project() {
    mkdir -p "$work/$1"
    cp "$work/two.c" "$work/$1/two.c"
    { echo 'cmake_minimum_required(VERSION 3.14)'; echo 'project(two LANGUAGES C)'; cat; } > "$work/$1/CMakeLists.txt"
    try "cmake, $1" cmake -S "$work/$1" -B "$work/$1/build" -DCMAKE_C_COMPILER="${cc%% *}" -DCMAKE_C_FLAGS="-O1 -DSYNERGY_SIMD=0"
    if grep -qF "synergy version is $number" "$work/try.out"; then good; else bad "cmake, $1: not version $number" "$work/try.out"; fi
    try "cmake builds, $1" cmake --build "$work/$1/build"
    says_ok "cmake, $1" "$work/$1/build/two"
}
top=$(cd .. && pwd)
if have cmake; then
    project subfolder <<EOF
add_subdirectory($top/tools/packaging/cmake synergy)
add_executable(two two.c)
target_link_libraries(two PRIVATE synergy::synergy)
message(STATUS "synergy version is \${synergy_VERSION}")
EOF
    project fetched <<EOF
include(FetchContent)
FetchContent_Declare(synergy SOURCE_DIR $top SOURCE_SUBDIR tools/packaging/cmake)
FetchContent_MakeAvailable(synergy)
add_executable(two two.c)
target_link_libraries(two PRIVATE synergy::synergy)
message(STATUS "synergy version is \${synergy_VERSION}")
EOF
else skip "no cmake"; fi

# ---- Arduino and PlatformIO: the folder, its manifests, and its sketch as their compiler sees it

try "the Arduino folder" make_tools arduino
library=$build/arduino/synergy
for file in src/synergy.h library.json library.properties LICENSE examples/sensor/sensor.ino; do
    if [ -s "$library/$file" ]; then good; else bad "the Arduino folder has no $file"; fi
done
if grep -q '@[A-Z]*@' "$library/library.json" "$library/library.properties"; then bad "a manifest is not filled in"; else good; fi
# what the specification of Arduino libraries demands of every library
for key in name version author maintainer sentence paragraph category url architectures; do
    if grep -qE "^$key=." "$library/library.properties"; then good; else bad "library.properties has no $key"; fi
done
if grep -qx "version=$number" "$library/library.properties"; then good; else bad "library.properties is not of version $number"; fi
if have python3; then
    try "library.json" python3 - "$library/library.json" "$number" <<'EOF'
import json, re, sys
manifest = json.load(open(sys.argv[1]))
assert re.fullmatch(r"[a-zA-Z0-9\-_. ]{1,100}", manifest["name"]), "name"
assert manifest["version"] == sys.argv[2], "version"
assert manifest["description"] and isinstance(manifest["keywords"], list), "description, keywords"
assert manifest["headers"] == "synergy.h" and manifest["license"], "headers, license"
EOF
else skip "no python3"; fi
if have pio; then
    # but for the licence's name, which pio looks up in the network
    cp -r "$library" "$work/packed"
    grep -v '"license"' "$library/library.json" > "$work/packed/library.json"
    PLATFORMIO_CORE_DIR=$work/pio
    export PLATFORMIO_CORE_DIR
    try "PlatformIO packs it" pio pkg pack -o "$work/pack.tar.gz" "$work/packed"
    if tar tzf "$work/pack.tar.gz" | grep -q '^src/synergy.h$'; then good; else bad "PlatformIO's package lacks the header"; fi
else skip "no pio"; fi
cat > "$work/Arduino.h" <<'EOF'
// What a sketch finds: the macros of a core, two analog pins, a serial line.
#pragma once
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#define A0 14
#define A1 15
#define HIGH 1
#define LOW 0
#define PI 3.1415926535897932384626433832795
#define EULER 2.718281828459045235360287471352
#define DEFAULT 1
#define INTERNAL 3
#define sq(x) ((x) * (x))
#define bit(b) (1UL << (b))
#define constrain(amt, low, high) ((amt) < (low) ? (low) : ((amt) > (high) ? (high) : (amt)))
#define lowByte(w) ((uint8_t)((w) & 0xff))
#define F(text) (text)
#define B0 0
#define B1 1
#define B10 2
extern double clock_now;
int analogRead(int pin);
void delay(unsigned long ms);
struct SerialLine {
    void begin(long) {}
    void print(const char *s) { fputs(s, stdout); }
    void print(double v, int digits) { printf("%.*f", digits, v); }
    void println(const char *s) { puts(s); }
    void println(double v, int digits) { printf("%.*f\n", digits, v); }
};
extern SerialLine Serial;
EOF
cat > "$work/board.cpp" <<'EOF'
#include "Arduino.h"
#include "sensor.ino"
SerialLine Serial;
static double drift;
static double noise() { return rand() / (double)RAND_MAX - 0.5; }
int analogRead(int pin) { if (pin == A0) drift = 0.9 * drift + noise(); return (int)(500 + 100 * (pin == A0 ? drift : -drift) + 60 * noise()); }
void delay(unsigned long) {}
int main() { setup(); for (int i = 0; i < 3000; i++) loop(); }
EOF
# sketch TEXT COMPILER...: one result, and what it prints where it can run
sketch() {
    text=$1
    shift
    try "$text" "$@" -std=gnu++17 -Wall -Wextra -I"$work" -I"$library/src" -I"$library/examples/sensor" "$work/board.cpp"
}
if have g++; then
    sketch "the sketch compiles" g++ -O1 -o "$work/sketch"
    if "$work/sketch" | grep -cE '^synergy 0\.[0-9]{6} nats, redundancy 0\.[0-9]{6}$' | grep -qx 3; then good; else bad "the sketch does not print three lines of numbers"; fi
else skip "no g++"; fi
if have arm-none-eabi-g++; then
    sketch "the sketch on a Cortex-M4" arm-none-eabi-g++ -Os -mcpu=cortex-m4 -mthumb -fno-exceptions -c -o "$work/sketch.o"
else skip "no arm-none-eabi-g++"; fi
finish
