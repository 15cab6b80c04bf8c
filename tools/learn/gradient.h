/* gradient.h - a gradient over many rows, for whoever waits for it. */
#ifndef SYNERGY_GRADIENT_H
#define SYNERGY_GRADIENT_H

#include "learn/net.h"

/* Before it: how long, by timing the beginning of the first row, and whether the disk has room for
   `output` (NULL: nothing). The arrays of `wants` are zero again behind it. */
bool gradient_announce(net_pass *p, const net *n, const net_rows *r, const net_wants *wants,
                       double disk, const char *output, problem *why);
/* net_run with a bar. */
double gradient_all(net_pass *p, const net_rows *r, size_t count, const net_wants *wants);

#endif
