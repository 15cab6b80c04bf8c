// What llama.cpp makes of a model: the logits behind the last of some tokens, computed with float caches and one thread.
// Built by key_outcomes.py against the libraries of a built llama.cpp; exit code 1: the file is refused.
//     peer_logits MODEL.gguf ID,ID,... OUT.f32
#include "llama.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

static void only_errors(ggml_log_level level, const char *text, void *)
{
    if (level >= GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
}

int main(int count, char **words)
{
    if (count != 4) return 2;
    llama_log_set(only_errors, nullptr);
    ggml_backend_load_all();
    llama_model_params how = llama_model_default_params();
    how.n_gpu_layers = 0;
    llama_model *model = llama_model_load_from_file(words[1], how);
    if (!model) return 1;

    std::vector<llama_token> ids;
    for (char *at = words[2]; *at; at += *at == ',') ids.push_back((llama_token)strtol(at, &at, 10));
    llama_context_params desc = llama_context_default_params();
    desc.n_ctx = 512; // llama.cpp rounds smaller ones up to 256
    desc.n_batch = desc.n_ubatch = 512;
    desc.n_threads = desc.n_threads_batch = 1;
    desc.type_k = desc.type_v = GGML_TYPE_F32;
    desc.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    llama_context *context = llama_init_from_model(model, desc);
    if (!context || llama_decode(context, llama_batch_get_one(ids.data(), (int32_t)ids.size())))
        return 1;

    const int vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(model));
    FILE *out = fopen(words[3], "wb");
    if (!out) return 2;
    fwrite(llama_get_logits_ith(context, -1), sizeof(float), (size_t)vocabulary, out);
    return fclose(out) ? 2 : 0;
}
