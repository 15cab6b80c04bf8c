# Every axis of an exported drawing names one quantity and its unit, every band what it is: awk -f axes.awk FILE.svg
# prints a line for each fault. Labels are the writing of 12 px, letters of panels that of 17 px, bands what is filled faintly.
function fault(words) { print FILENAME ": " words }
BEGIN {
    RS = "<"
    counted = "^(layer|head|expert|unit)$" # numbers that count, without a unit
    unit = "(nats|nats a token|%|tokens|steps|ranks|share|ratio|standard deviations of the weights)"
    bar = "^(nats|rank|ranks|share|a\\.u\\.|layer)$" # above the colours of a map
}
/^(path|rect) / && /fill-opacity="0\.1[35]"/ { bands++ }
/^(image|g [^>]*shape-rendering)/ { colours++ }
/^text / {
    words = $0
    sub(/^[^>]*>/, "", words)
    if ($0 ~ /font-size="17"/) panels++
    if (words ~ bar && $0 !~ /font-size="12"/) bars++
    if (words ~ /95 % interval|range of several|2 SD/) named++
    if (words ~ /95 ?%/ && words !~ /95 % interval/) fault("'" words "' is no '95 % interval'")
    if ($0 !~ /font-size="12"/) next
    labels++
    if (words ~ counted) next
    if (words !~ (", " unit "$")) fault("no unit on the axis '" words "'")
    else if (split(words, parts, ", ") != 2) fault("more than one quantity on the axis '" words "'")
}
END {
    name = FILENAME
    sub(/.*\//, "", name)
    # a ring has one axis, rows of names have one, a profile has a second to the right; of many panels each has one at least
    need = panels ? panels : name ~ /^(network-|topology-)/ ? 1 : name ~ /^profile-(rank-difference|difference|excess)\./ ? 3 : 2
    if (labels < need) fault(labels + 0 " axes with a label, not " need)
    if (colours && !bars) fault("no unit above the colours")
    if (bands && !named) fault("a band without a name")
}
