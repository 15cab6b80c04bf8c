/* work.h - long work that is not lost: what is finished stands in a file (a log of pieces), the
   same command goes on from it, other settings are refused with the one that differs, and whoever
   stops the program is told in one line what is kept. */
#ifndef SYNERGY_WORK_H
#define SYNERGY_WORK_H

#include "base/stop.h"
#include "base/tool.h"

/* ---- settings ------------------------------------------------------------------------- */

/* What a setting of a JSON file is called on the command line: {"tokens", "-n"}; one with word NULL
   is not told; a row of NULL ends it. */
typedef struct setting_word {
    const char *key, *word;
} setting_word;

/* Says in `to` how the settings told in `theirs` differ from ours: "-n 40 there, 50 here". Objects
   are compared key by key, two models by their sha256; a key that is not told there is passed over.
   False when none differs. */
bool settings_differ(const json *ours, const json *theirs, const setting_word *words, text *to);

/* Are the settings of a result that lies at `path` those of `ours`, an object with the member
   "settings", which is freed? If not, the problem names each that differs, there and here. */
bool settings_same(json_out *ours, const json *theirs, const setting_word *words, const char *path,
                   problem *why);

/* ---- pieces --------------------------------------------------------------------------- */

typedef struct work_desc {
    const char *directory, *file; /* DIR/capture.part */
    const char *finished; /* the file in DIR that holds the settings of a finished run, "run.json";
                             NULL: there is none, the results go elsewhere */
    const char *settings; /* ours: the text of a JSON object, a part of what `finished` holds */
    const char *result;   /* a file that must be there for the run to count as finished */
    const char *identity; /* hash of all that decides the results; `finished` has it, too, as
                             "identity" or, of a part of a run, as "identity_of_part" */
    const setting_word *words;
    const char *pieces; /* "prompts" */
    size_t total;       /* how many there are in all */
    size_t begun_from;  /* keys from here on are what is known of pieces under way, key - begun_from
                           the piece; 0: none */
    size_t state_bytes; /* not 0: no pieces but one state of so many bytes, saved again and again */
    bool fresh, force;  /* start over; other settings may be replaced */
    bool in_passing;    /* where the log cannot be written the work is done all the same */
} work_desc;

typedef struct work {
    work_desc desc;
    FILE *log;
    char path[TOOL_PATH_BYTES];
    uint64_t *at; /* (key): where its piece stands, 0: nowhere */
    size_t keys, done, begun;
    uint64_t end;        /* of what is good; of a state: of the line of settings */
    double synced;       /* when the log was last on disk */
    double saved, spent; /* when the state was last saved, and how long that took */
    int slot;            /* where the next state goes */
    int depth;           /* 1: no other is open around it */
    bool complete;       /* a finished run of the same settings is there: nothing is to be done */
} work;

/* Refuses a folder that holds a run of other settings (finished or begun), unless forced. Changes
   nothing. */
bool work_check(const work_desc *desc, problem *why);
/* Is a finished run of the same settings there, and not to be made anew? */
bool work_is_complete(const work_desc *desc);
/* Makes the folder and opens the log behind its last good piece. Only one process at a time may. */
bool work_open(work *w, const work_desc *desc, problem *why);
bool work_has(const work *w, size_t key);
bool work_add(work *w, size_t key, const void *bytes, size_t count, problem *why);
bool work_read(work *w, size_t key, text *to, problem *why);
/* A state in place of pieces: how much is done and the bytes that go on from there. Of two places
   in the file the older is written, so that a kill leaves one whole. work_due: enough time has
   passed for another. work_state: the newest whole one; false when there is none. */
bool work_due(const work *w);
bool work_save(work *w, size_t done, const void *bytes, problem *why);
bool work_state(work *w, text *to);
/* Of a command without a folder: its log lies in the current one, named for the command and the
   identity, and goes away when the work is done. Fills directory, file and in_passing. */
void work_in_passing(work_desc *desc, const char *program, char name[64]);
/* Closes the log; after the results have been written it goes away. */
void work_close(work *w, bool finished);

/* Work whose files are its log: a file of no use to anybody is held in the folder as long as it
   lasts, so that a second process is refused. */
typedef struct work_hold {
    FILE *file;
    char path[TOOL_PATH_BYTES];
} work_hold;
bool work_hold_folder(work_hold *h, const char *directory, const char *file, problem *why);
void work_let_go(work_hold *h);

/* ---- before the start ----------------------------------------------------------------- */

/* What the work will take. Says so on standard error, and refuses what the disk has no room for. */
typedef struct work_plan {
    const char *what;      /* "60 prompts x 100 tokens" */
    const char *directory; /* NULL: nothing is written */
    double memory, disk;   /* bytes; 0: not told */
    double least, most;    /* seconds; most 0: not known yet */
    double unless;         /* not told of what takes fewer seconds */
} work_plan;
bool plan_announce(const work_plan *p, problem *why);

#endif
