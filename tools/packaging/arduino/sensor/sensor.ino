// Two sensors on A0 and A1, a hundred samples a second: what their futures hold together (synergy)
// and what twice (redundancy), every ten seconds. No sample is stored and nothing is allocated. A
// `double` of 64 bits is needed, which AVR boards do not have. For model files on larger boards
// leave SYNERGY_NO_MODEL out.
#define SYNERGY_NO_MODEL
#define SYNERGY_NO_STDIO
#define SYNERGY_STATIC
#define SYNERGY_IMPLEMENTATION
#include <synergy.h>

enum { CHANNELS = 2, LAG = 1, REPORT_EVERY = 1000, STEP_MS = 10 };

static unsigned char memory[1024];
static syn_cov cov;
static bool ready;
static unsigned long samples;

void setup()
{
    syn_arena arena = syn_arena_on(memory, sizeof memory);
    syn_error err = {SYN_OK, ""};
    Serial.begin(115200);
    ready = syn_cov_open(&cov, CHANNELS, LAG, &arena, &err) == SYN_OK;
    if (!ready) Serial.println(err.text);
}

void loop()
{
    double sample[CHANNELS], atom[SYN_ATOMS];
    if (!ready) return;
    sample[0] = analogRead(A0);
    sample[1] = analogRead(A1);
    syn_cov_add(&cov, sample);
    if (++samples % REPORT_EVERY == 0) {
        const syn_flags flags = syn_cov_pair(&cov, 0, 1, NULL, atom);
        if (flags) {
            Serial.println(syn_flags_text(flags));
        } else {
            Serial.print("synergy ");
            Serial.print(atom[SYN_STS], 6);
            Serial.print(" nats, redundancy ");
            Serial.println(atom[SYN_RTR], 6);
        }
    }
    delay(STEP_MS);
}
