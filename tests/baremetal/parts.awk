# awk -f parts.awk [-v most=BYTES] [-v allowed=REGEX] [-v single=1] PROGRAM.map: what each part of a program takes of the flash (code,
# constants, first values of variables), from the linker's map. Fails above `most`, and where anything of the C library
# but strings and mathematics (and the errno that this sets) is in it; with single=1 where anything of doubles is, too:
# libgcc's routines for them, or a function of libm that is not one of floats.
BEGIN {
    if (!allowed) allowed = "^lib_a-(mem|str|errno|impure)"
    part[1] = "^syn_cov_|^synp_cov_|^synp_packed";                     name[1] = "accumulator"
    part[2] = "^synp_dd_|^synp_two_to|^synp_exponent|^synp_finite";    name[2] = "double-double arithmetic"
    part[3] = "^synp_ln|^synp_nats|^odd";                              name[3] = "logarithm"
    part[4] = "^synp_line|^synp_fail|^synp_format|^synp_succeed|^synp_number|^syn_status|^syn_flags|^name|^str"
    name[4] = "messages"
    part[5] = "^syn_arena|^synp_take|^synp_measur|^synp_pieces";       name[5] = "arena"
    part[6] = "^syn_phiid|^synp_(four|phiid|mmi|pick|atoms|refuse|correl|ratios|kept|find|drop|normalise|sources|moebius|weight|desc|third|needs)"
    name[6] = "decomposition"
    part[7] = "^syn_|^synp_";                                          name[7] = "the rest of synergy.h"
    parts = 7
}
/^Linker script and memory map/ { placed = 1 }
!placed { next }
/^ \.(text|rodata|data|vectors)/ {
    section = $1
    if (NF == 1) { getline; address = $1; bytes = $2; from = $3 } else { address = $2; bytes = $3; from = $4 }
    if (address == "0x00000000" && bytes == "0x0") next
    bytes = number(bytes)
    if (!bytes) next
    sub(/^\.(text|rodata|data)\.?/, "", section)
    member = from
    sub(/.*\(/, "", member)
    sub(/\)$/, "", member)
    if (from ~ /libgcc\.a/) {
        what = "arithmetic of the compiler (libgcc)"
        if (single && member ~ /df|f2d/) { print "of doubles: " member; bad = 1 }
    } else if (from ~ /libm(_nano)?\.a/) {
        what = "mathematics (libm)"
        if (single && member !~ /^lib_a-([a-z]+f_|math_errf|s_lib_ver)/) { print "of doubles: " member; bad = 1 }
    } else if (from ~ /libc(_nano)?\.a/) {
        what = "C library"
        if (member !~ allowed) { print "of the C library: " member; bad = 1 }
    } else {
        what = "program and start-up"
        for (i = 1; i <= parts; i++) if (section ~ part[i]) { what = name[i]; break }
    }
    sum[what] += bytes
    all += bytes
}
function number(hex,    i, n) {
    hex = tolower(substr(hex, 3))
    for (i = 1; i <= length(hex); i++) n = 16 * n + index("0123456789abcdef", substr(hex, i, 1)) - 1
    return n
}
END {
    for (what in sum) printf "%7d  %s\n", sum[what], what | "sort -rn"
    close("sort -rn")
    printf "%7d  bytes of flash in all\n", all
    if (most && all > most) { print "more than " most; bad = 1 }
    exit bad
}
