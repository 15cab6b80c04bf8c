/* choices.h - the words of options that choose one of the library's enums: its own names, joined by
 * '|'. */
#ifndef SYNERGY_CHOICES_H
#define SYNERGY_CHOICES_H

const char *choices_redundancy(void);
const char *choices_estimator(void);
const char *choices_transform(void);
const char *choices_score(void);
const char *choices_surrogate(void);

#endif
