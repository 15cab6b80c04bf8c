/* test_shape.c - the one judgement over a profile's shape, which terminal, report and comparison
   share. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"

#include "../tools/engine/shape.c"

/* A sure inverted U of 60 prompts. */
static shape_evidence sure(void)
{
    shape_evidence e = {{20, 15, 25}, {-90, -120, -60}, 0.001, 0.001, 0.7, 60};
    return e;
}

TEST(each_part_is_needed)
{
    shape_evidence e = sure();
    CHECK(shape_of(&e) == SHAPE_INVERTED);
    e.parabola = 0.1;
    CHECK(shape_of(&e) == SHAPE_MIDDLE);
    e.parabola = (double)NAN;
    CHECK(shape_of(&e) == SHAPE_MIDDLE);
    e = sure();
    e.p_middle = 0.2; /* beyond its interval, but not beyond shuffled units */
    CHECK(!shape_surely_high(&e, 1) && shape_surely_bent(&e, 1));
    CHECK(shape_of(&e) == SHAPE_WEAK);
    e.curvature.high = 3;
    CHECK(!shape_surely_bent(&e, 1) && shape_of(&e) == SHAPE_FLAT);
    e = sure();
    e.middle.low = e.middle.high = e.curvature.low = e.curvature.high =
        (double)NAN; /* pooled: no intervals */
    CHECK(shape_of(&e) == SHAPE_INVERTED);
    e.p_middle = e.p_curvature = (double)NAN; /* nothing was tested */
    CHECK(shape_of(&e) == SHAPE_FLAT);
}

TEST(few_prompts_leave_it_open)
{
    shape_evidence e = sure();
    e.prompts = 9;
    CHECK(shape_of(&e) == SHAPE_OPEN && !shape_surely_high(&e, 1) && !shape_surely_bent(&e, 1));
    e.prompts = (double)NAN;
    CHECK(shape_of(&e) == SHAPE_OPEN);
    e.prompts = 10;
    CHECK(shape_of(&e) == SHAPE_INVERTED);
    e.middle.value = (double)NAN;
    CHECK(shape_of(&e) == SHAPE_NONE);
}

TEST(the_opposite_is_told)
{
    shape_evidence e = {{-20, -25, -15}, {90, 60, 120}, 0.001, 0.001, 0.7, 60};
    CHECK(shape_of(&e) == SHAPE_U && shape_surely_high(&e, -1) && !shape_surely_high(&e, 1));
    e.parabola = 0.1;
    CHECK(shape_of(&e) == SHAPE_FLAT);
}

TEST(parabolas)
{
    double bow[7], line[7], zigzag[7];
    size_t l;
    for (l = 0; l < 7; l++) {
        const double x = (double)l / 6 - 0.5;
        bow[l] = 3 - 4 * x * x + 2 * x;
        line[l] = 1 + 5 * x;
        zigzag[l] = l % 2 ? 1 : -1;
    }
    CHECK_NEAR(shape_parabola_share(bow, 7), 1, 1e-12);
    CHECK_NEAR(shape_parabola_share(line, 7), 1, 1e-12);
    CHECK_NEAR(shape_parabola_share(zigzag, 7), 1.0 / 9, 1e-12);
    CHECK(isnan(shape_parabola_share(bow, 3)));
    bow[3] = (double)NAN;
    CHECK_NEAR(shape_parabola_share(bow, 7), 1, 1e-12);
}

TEST_MAIN("shape")
