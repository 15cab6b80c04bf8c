# A made-up ablation and perturbation in the files that `synergy ablate` and `synergy perturb` write: awk -v dir=DIR -f this
function row(file, key, seed, x, units, kl,   s) {
    s = units == 0 ? key "," seed "," units ",0" : key "," seed "," units "," x
    printf "%s,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g\n", s, kl, kl / 5, kl * 0.85, kl * 1.18, exp(-kl / 2), 1.2 + kl > file
}
function wilson(file, head, correct, n,   p, z, m, h) {
    z = 1.96
    p = correct / n
    m = (p + z * z / (2 * n)) / (1 + z * z / n)
    h = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    printf "%s,%d,%d,%.6g,%.6g,%.6g\n", head, n, correct, p, m - h, m + h > file
}
function sets(file, head, kl,   k) {
    for (k = 1; k <= 4; k++) wilson(file, head "," set[k], int(60 * (0.5 + (0.12 * k) * exp(-kl))), 60)
    wilson(file, head ",all", int(240 * (0.5 + 0.3 * exp(-kl))), 240)
}
function curve(json, key, seed, auc) {
    printf "%s{\"order\": \"%s\", \"seed\": %d, \"auc\": %.6g, \"auc_low\": %.6g, \"auc_high\": %.6g}", many++ ? ", " : "", key, seed, auc, auc * 0.9, auc * 1.1 > json
}
BEGIN {
    split("arithmetic grammar part_of_speech common_sense", set, " ")
    n = split("score 4.9 reverse 6.9 synergy 4.3 redundancy 3.2 norm 11.5 sink 5.0 random 3.4 matched 3.9", o, " ")
    a = dir "/ablation.csv"; b = dir "/ablation_accuracy.csv"; j = dir "/ablation.json"
    print "order,seed,units,fraction,kl,kl_sd,low,high,top1,nll" > a
    print "order,seed,units,fraction,set,items,correct,accuracy,low,high" > b
    printf "{\"settings\": {\"seeds\": 5, \"tokens\": 100}, \"intact\": {\"nll\": 1.2, \"accuracy\": {\"all\": 0.8}}, \"curves\": [" > j
    for (i = 1; i < n; i += 2)
        for (seed = 0; seed < (o[i] == "random" || o[i] == "matched" ? 5 : 1); seed++) {
            for (k = 0; k <= 8; k++) {
                x = 0.05 * k
                kl = o[i + 1] * (0.8 + 0.1 * seed) * x ^ 1.2
                row(a, o[i], seed, x, int(24 * x + 0.5), kl)
                sets(b, o[i] "," seed "," int(24 * x + 0.5) "," x, kl)
            }
            curve(j, o[i], seed, o[i + 1] * (0.8 + 0.1 * seed) * 0.15)
        }
    printf "], \"tests\": [{\"a\": \"score\", \"b\": \"random\", \"auc_difference\": 0.078, \"low\": 0.02, \"high\": 0.13, \"p_prompts\": 0.01, \"p_orders\": 0.167}," > j
    printf "{\"a\": \"score\", \"b\": \"matched\", \"auc_difference\": 0.003, \"low\": -0.05, \"high\": 0.05, \"p_prompts\": 0.4, \"p_orders\": 0.5}," > j
    printf "{\"a\": \"score\", \"b\": \"norm\", \"auc_difference\": -1.1, \"low\": -1.4, \"high\": -0.8, \"p_prompts\": 0.001, \"p_orders\": null}]," > j
    print "\"words\": [\"Removing units by score costs 0.078 nats more than at random (95 % interval 0.02 to 0.13) & that is <all>.\"]}" > j
    c = dir "/perturb.csv"; d = dir "/perturb_accuracy.csv"; j = dir "/perturb.json"
    print "group,seed,strength,units,kl,kl_sd,low,high,top1,nll" > c
    print "group,seed,strength,set,items,correct,accuracy,low,high" > d
    n = split("core 1.9 periphery 0.7 random 1.1", o, " ")
    m = split("0 0.25 0.5 1 2", strength, " ")
    for (i = 1; i < n; i += 2)
        for (seed = 0; seed < (o[i] == "random" ? 5 : 1); seed++)
            for (k = 1; k <= m; k++) {
                kl = o[i + 1] * (0.8 + 0.1 * seed) * strength[k]
                printf "%s,%d,%s,6,%.6g,%.6g,%.6g,%.6g,%.6g,%.6g\n", o[i], seed, strength[k], kl, kl / 5, kl * 0.85, kl * 1.18, exp(-kl / 2), 1.2 + kl > c
                sets(d, o[i] "," seed "," strength[k], kl)
            }
    print "{\"settings\": {\"seeds\": 5}, \"tests\": [{\"a\": \"core\", \"b\": \"random\", \"auc_difference\": 0.4, \"low\": 0.1, \"high\": 0.7, \"p_prompts\": 0.02, \"p_orders\": 0.1}], \"words\": [\"Noise in the core does more harm than in the periphery.\"]}" > j
}
