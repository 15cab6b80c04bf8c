# A made-up emergence and tuning in the files that `synergy emerge` and `synergy tune` write: awk -v dir=DIR -f this
BEGIN {
    a = dir "/emergence.csv"; b = dir "/emergence_profile.csv"
    split("rank-difference difference", score, " ")
    steps = split("0 1 8 64 512", step, " ")
    print "run,kind,step,loss,loss_se,score_name,middle_minus_outer,middle_low,middle_high,middle_p,curvature,curvature_low,curvature_high,curvature_p,parabola_share,shape" > a
    print "run,kind,step,score_name,layer,depth,mean,minmax,low,high" > b
    for (r = 1; r <= 2; r++)
        for (k = 1; k <= steps + 2; k++) {
            kind = k <= steps ? "checkpoint" : k == steps + 1 ? "random" : "shuffled"
            at = k <= steps ? step[k] : 0
            for (s = 1; s <= 2; s++) {
                v = (k <= steps ? 2 * k : k - steps) + r
                printf "run%d,%s,%s,%g,0.01,%s,%g,%g,%g,0.1,%g,%g,%g,0.1,0.5,flat\n", r, kind, at, 7 - k / 2, score[s], v, v - 2, v + 2, -v, -v - 3, -v + 3 > a
                for (l = 0; l < 4; l++)
                    printf "run%d,%s,%s,%s,%d,%g,%g,0.5,%g,%g\n", r, kind, at, score[s], l, l / 3, v - l, v - l - 1, v - l + 1 > b
            }
        }
    print "{\"claims\": {}}" > dir "/emergence.json"
    c = dir "/tuning.csv"
    print "task,method,subset,seed,step,accuracy,low,high,items,heads" > c
    split("core random periphery", subset, " ")
    split("grpo sft", method, " ")
    for (m = 1; m <= 2; m++)
        for (s = 1; s <= 3; s++)
            for (seed = 1; seed <= 3; seed++)
                for (k = 0; k <= 20; k += 5) {
                    v = 0.3 + 0.02 * k - 0.03 * s + 0.01 * seed
                    printf "words,%s,%s,%d,%d,%g,%g,%g,100,8\n", method[m], subset[s], seed, k, v, v - 0.05, v + 0.05 > c
                }
    print "{\"claims\": [], \"tests\": [{\"task\": \"words\", \"method\": \"grpo\", \"a\": \"core\", \"b\": \"random\", \"seeds\": 3, \"difference\": 0.03, \"low\": 0.01, \"high\": 0.05, \"p_seeds\": 0.04, \"p_items\": 0.1}]}" > dir "/tuning.json"
}
