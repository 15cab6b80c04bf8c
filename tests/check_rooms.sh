#!/bin/sh
# The rooms of tools/: base <- draw, template <- engine <- the stages <- commands. A room includes and calls only rooms below it, of a
# stage no more than its stage.h, and no stage knows another. In a room no two files call one another in a circle. Looked at
# are the includes of the sources and the symbols of the objects (nm); edges that are put in on purpose must be found.
. ./check.sh

tools=../tools
build=${BUILD_TOOLS:-$tools/build}
cc=${CC:-cc}
rooms=$(sed -n 's/^ROOMS *= *//p' $tools/Makefile)
stages=
for room in $rooms; do
    case $room in base | draw | template | engine | commands) ;; *) stages="$stages $room" ;; esac
done

# below ROOM: what it may include and call
below() {
    case $1 in
        base) ;;
        draw | template) echo base ;;
        engine) echo base template ;;
        commands) echo base draw template engine $stages ;;
        *) echo base draw template engine ;;
    esac
}

# forbidden: of lines `room file room what`, those that are no edge downwards
forbidden() {
    for room in $rooms; do echo "may $room $(below "$room")"; done > "$work/may"
    awk 'FNR == NR { for (i = 3; i <= NF; i++) may[$2 " " $i] = 1; next }
         $1 != $3 && !(($1 " " $3) in may) { print $2 " -> " $4 }' "$work/may" -
}

# includes FOLDER: `room file room header` of every include of a header of a room
includes() {
    (cd "$1" && grep -H '^ *# *include *"[a-z]*/' -- */*.c */*.h) |
        sed 's/^\([^/]*\)\/\([^:]*\):[^"]*"\([^/]*\)\/\([^"]*\)".*/\1 \1\/\2 \3 \3\/\4/'
}

# calls FOLDER: `room file room file` of every symbol that an object has from another; symbol last
calls() {
    (cd "$1" && nm -A -- */*.o 2> /dev/null) | awk '
        { split($1, a, ":"); kind = $(NF - 1); name = $NF }
        kind ~ /^[TDRBVW]$/ { at[name] = a[1] }
        kind == "U" { n++; from[n] = a[1]; of[n] = name }
        END { for (i = 1; i <= n; i++) if (of[i] in at) {
                  split(from[i], f, "/"); split(at[of[i]], t, "/"); print f[1], from[i], t[1], at[of[i]], of[i] } }'
}

# private: of lines of includes, those of a stage's other headers from outside of it
private() {
    awk -v stages=" $stages " '$1 != $3 && index(stages, " " $3 " ") && $4 !~ /\/stage\.h$/ { print $2 " -> " $4 }'
}

# circles: of lines of calls, the files of a room that call one another
circles() {
    awk '$1 == $3 && $2 != $4 { print $2, $4 }' | sort -u | tsort 2>&1 > /dev/null | sed 's/^tsort: //'
}

# none TEXT FILE / some TEXT FILE
none() {
    if [ -s "$2" ]; then bad "$1:" "$2"; else good; fi
}
some() {
    if [ -s "$2" ]; then good; else bad "$1: not found"; fi
}

# ---- the rooms as they are
for folder in "$tools"/*/; do
    room=$(basename "$folder")
    case " $rooms library " in *" $room "*) ;; *) if ls "$folder"*.c > /dev/null 2>&1; then bad "tools/$room is no room of the Makefile"; fi ;; esac
done
# the shared library for other languages stands apart: it takes the header, and nothing of the rooms
grep -hE '^ *# *include *"' "$tools"/library/*.c | grep -v '"synergy.h"\|"../../synergy.h"' > "$work/out"
if [ -s "$work/out" ]; then bad "tools/library includes more than synergy.h:" "$work/out"; else good; fi
for room in $rooms; do
    if grep -q "^    $room/ " ../tools/README.md; then good; else bad "tools/README.md has no line about $room/"; fi
done
for stage in $stages; do
    if [ -f "$tools/$stage/stage.h" ]; then good; else bad "tools/$stage has no stage.h"; fi
    # what others may use stands there itself: it shows no other header of the stage
    grep -n "^ *# *include *\"$stage/" "$tools/$stage/stage.h" > "$work/out"
    none "tools/$stage/stage.h shows another header of its stage" "$work/out"
done
includes $tools > "$work/includes"
if [ "$(wc -l < "$work/includes")" -ge 100 ]; then good; else bad "few includes were seen" "$work/includes"; fi
forbidden < "$work/includes" > "$work/out"
none "includes upwards or sideways" "$work/out"
private < "$work/includes" > "$work/out"
none "a stage's header that is not its stage.h is included from outside" "$work/out"

if [ -x "$build/synergy" ]; then
    # objects whose source is gone would still be looked at
    mkdir "$work/now"
    (cd $tools && find $rooms -name '*.c') | while read -r source; do
        mkdir -p "$work/now/$(dirname "$source")"
        cp "$build/${source%.c}.o" "$work/now/${source%.c}.o"
    done
    calls "$work/now" > "$work/calls"
    if [ "$(wc -l < "$work/calls")" -ge 500 ]; then good; else bad "few calls were seen" "$work/calls"; fi
    forbidden < "$work/calls" > "$work/out"
    none "calls upwards or sideways" "$work/out"
    circles < "$work/calls" > "$work/out"
    none "circles of calls" "$work/out"
else
    bad "$build/synergy is not there"
fi

# ---- edges that are put in on purpose
mkdir -p "$work/in/base" "$work/in/phiid" "$work/in/graph" "$work/in/commands"
echo '#include "engine/engine.h"' > "$work/in/base/up.c"
echo '#include "graph/stage.h"' > "$work/in/phiid/side.c"
echo '#include "graph/graph.h"' > "$work/in/commands/private.c"
echo '#include "base/tool.h"' > "$work/in/graph/good.h"
includes "$work/in" > "$work/includes"
forbidden < "$work/includes" | sort > "$work/out"
printf 'base/up.c -> engine/engine.h\nphiid/side.c -> graph/stage.h\n' > "$work/expected"
if cmp -s "$work/out" "$work/expected"; then good; else bad "planted includes" "$work/out"; fi
private < "$work/includes" > "$work/out"
if grep -qx 'commands/private.c -> graph/graph.h' "$work/out"; then good; else bad "a planted private header" "$work/out"; fi

mkdir -p "$work/calls.d/base" "$work/calls.d/phiid" "$work/calls.d/graph"
echo 'int a(void); int b(void); int b(void) { return a(); }' > "$work/base.c"
echo 'int a(void); int c(void); int a(void) { return c(); }' > "$work/one.c"
echo 'int a(void); int c(void); int d(void); int c(void) { return a() + d(); }' > "$work/two.c"
echo 'int d(void); int d(void) { return 1; }' > "$work/graph.c"
$cc -c "$work/base.c" -o "$work/calls.d/base/base.o" && $cc -c "$work/one.c" -o "$work/calls.d/phiid/one.o" &&
    $cc -c "$work/two.c" -o "$work/calls.d/phiid/two.o" && $cc -c "$work/graph.c" -o "$work/calls.d/graph/graph.o"
calls "$work/calls.d" > "$work/calls"
forbidden < "$work/calls" | sort > "$work/out"
printf 'base/base.o -> phiid/one.o\nphiid/two.o -> graph/graph.o\n' > "$work/expected"
if cmp -s "$work/out" "$work/expected"; then good; else bad "planted calls" "$work/out"; fi
circles < "$work/calls" > "$work/out"
some "a planted circle" "$work/out"
finish
