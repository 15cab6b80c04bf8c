# Which errors each public function of synergy.h can give: as its code says, and as the comment above its declaration does.
# By the code: the SYN_ERROR_ names in its body and in those of all functions that it names, but not where they are only
# compared. By the comment: the names without SYN_ERROR_, and those of the functions after `as syn_...`.
# Prints `function: code | comment` where the two differ, and at last `N functions`.
function note(set, name) { return index(set, " " name " ") ? set : set name " " }

# of the text of a comment
function said(text, set, i, n, word, at) {
    gsub(/ +/, " ", text)
    set = " "
    n = split(names, word, " ")
    for (i = 1; i <= n; i++) if (text ~ ("(^|[^A-Z_])" word[i] "($|[^A-Z_])")) set = note(set, word[i])
    while (match(text, /[^a-z]as (for |)syn_[a-z0-9_]+/)) {
        at = substr(text, RSTART, RLENGTH)
        sub(/^.*syn_/, "syn_", at)
        like[current] = like[current] " " at
        text = substr(text, RSTART + RLENGTH)
    }
    return set
}

BEGIN { names = "ARGUMENT MEMORY READ FORMAT UNSUPPORTED MODEL CONTEXT DATA" }

# ---- declarations
/^#if defined\(SYNERGY_IMPLEMENTATION\)/ { implementation = 1 }
!implementation && /^\/\*/ { comment = ""; in_comment = 1 }
!implementation && in_comment { comment = comment " " $0; if (/\*\//) in_comment = 0; next }
!implementation && /^$/ { comment = "" }
!implementation && /^SYN_API syn_status syn_/ {
    current = $3
    sub(/\(.*/, "", current)
    order[++functions] = current
    comments[current] = said(comment)
    next
}
!implementation { next }

# ---- code: from the line at the margin that has the name to the `}` at the margin
{ sub(/\/\*.*\*\//, "") }
/^[A-Za-z].*[(]/ && !/;$/ && !/^(typedef|extern)/ && !body {
    head = $0
    sub(/[(].*/, "", head)
    sub(/^.*[ *]/, "", head)
    if (head ~ /^synp?_[a-z0-9_]+$/) from = head
}
from {
    line = $0
    gsub(/[=!]= *SYN_ERROR_[A-Z]+/, "", line)
    gsub(/case SYN_ERROR_[A-Z]+/, "", line)
    while (match(line, /SYN_ERROR_[A-Z]+|synp?_[a-z0-9_]+/)) {
        word = substr(line, RSTART, RLENGTH)
        if (word ~ /^SYN_ERROR_/) { if (word != "SYN_ERROR_TEXT_BYTES") code[from] = note(code[from] ? code[from] : " ", substr(word, 11)) }
        else if (word != from) calls[from] = calls[from] " " word
        line = substr(line, RSTART + RLENGTH)
    }
}
/[{]$/ { if (from) body = 1 }
/;$/ && from && !body { from = "" }
/^}/ { from = ""; body = 0 }

END {
    do {
        changed = 0
        for (f in calls) {
            n = split(calls[f], to, " ")
            for (i = 1; i <= n; i++) {
                m = split(code[to[i]], part, " ")
                for (j = 1; j <= m; j++) {
                    before = code[f] ? code[f] : " "
                    code[f] = note(before, part[j])
                    if (code[f] != before) changed = 1
                }
            }
        }
    } while (changed)
    do {
        changed = 0
        for (f in like) {
            n = split(like[f], to, " ")
            for (i = 1; i <= n; i++) {
                m = split(comments[to[i]], part, " ")
                for (j = 1; j <= m; j++) {
                    before = comments[f]
                    comments[f] = note(before, part[j])
                    if (comments[f] != before) changed = 1
                }
            }
        }
    } while (changed)
    n = split(names, part, " ")
    for (i = 1; i <= functions; i++) {
        a = b = ""
        for (j = 1; j <= n; j++) {
            if (index(code[order[i]], " " part[j] " ")) a = a " " part[j]
            if (index(comments[order[i]], " " part[j] " ")) b = b " " part[j]
        }
        if (a != b) print order[i] ":" a " |" b
    }
    print functions " functions"
}
