/* tool.h - all of base/: what the rooms above it share. Parts of base include only what they need.

   How a command is written: a file cmd_NAME.c that defines `const command command_NAME` and is
   listed in main.c. It declares an array of `option`, calls args_parse, works with functions
   that return false and fill a `problem`, and ends with `return tool_fail(&why)` (one line on
   standard error, exit code 1) or 0. Usage errors are exit code 2 and come from args_parse or
   from `return tool_usage(...)`.

   Results go to standard output or to files; notes and progress to standard error. */
#ifndef SYNERGY_TOOL_H
#define SYNERGY_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/args.h"
#include "base/csv.h"
#include "base/file.h"
#include "base/json.h"
#include "base/npy.h"
#include "base/problem.h"
#include "base/sha256.h"
#include "base/statistics.h"
#include "base/table.h"
#include "base/term.h"
#include "base/text.h"

#endif
