# Prints the names of the public functions that synergy.h declares, in order: each `SYN_API ... name(` that ends in `;`
# before any `{`. A declaration may run over lines.
/^#/ { next }
/^SYN_API / { text = ""; open = 1 }
open {
    text = text " " $0
    if (match(text, /[;{]/)) {
        open = 0
        if (substr(text, RSTART, 1) == ";" && match(text, /syn_[a-z0-9_]+[ ]*\(/)) {
            name = substr(text, RSTART, RLENGTH)
            sub(/[ ]*\($/, "", name)
            if (!seen[name]++) print name
        }
    }
}
