/*
 * Conversions of v1 values for v2: see convert.h. log2 and pow are written out because libm would be one more
 * library to load in every command, for one number.
 */
#include "cgroup/convert.h"

#define SHARES_MIN 2
#define SHARES_MAX 262144
#define WEIGHT_MAX 10000
#define LN_2 0.69314718055994530942
#define LN_10 2.30258509299404568402

static double binary_logarithm(double x)
{
    double exponent = 0, sum = 0, t, power;

    while (x >= 1.5) {
        x /= 2;
        exponent++;
    }
    t = (x - 1) / (x + 1); /* ln x = 2 (t + t³/3 + t⁵/5 + …) */
    power = t;
    for (int odd = 1; odd < 60; odd += 2) {
        sum += power / odd;
        power *= t * t;
    }
    return exponent + 2 * sum / LN_2;
}

static double power_of_ten(double exponent)
{
    double x = exponent * LN_10 / 64, term = 1, sum = 1;

    for (int k = 1; k < 20; k++) {
        term *= x / k;
        sum += term;
    }
    for (int i = 0; i < 6; i++) /* (eˣ)⁶⁴ */
        sum *= sum;
    return sum;
}

uint64_t cgroup_cpu_weight(uint64_t shares)
{
    double l, weight;
    uint64_t whole;

    if (shares <= SHARES_MIN)
        return 1;
    if (shares >= SHARES_MAX)
        return WEIGHT_MAX;
    /* The parabola in log space through (2, 1), (1024, 100) and (262144, 10000): both defaults meet, unlike
     * in the old linear one. */
    l = binary_logarithm((double)shares);
    weight = power_of_ten((l * l + 125 * l) / 612 - 7.0 / 34) - 1e-9; /* 100.00000000000001 is 100 */
    whole = (uint64_t)weight;
    return (double)whole < weight ? whole + 1 : whole;
}

uint64_t cgroup_io_weight(uint64_t weight)
{
    return 1 + (weight - 10) * 9999 / 990;
}
