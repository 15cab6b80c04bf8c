"""Writes tests/data/chat: chat templates in vocabulary-only GGUF files, and what jinja2 makes of them.

    python chat_data.py OUT_DIR

NAME.gguf holds a template of the shape that a family of public models has (written here), NAME.user and NAME.system
are what jinja2 3.1, with the settings of transformers, writes for a user's message alone and behind a system message;
"error: ..." where the template refuses. `python chat_data.py OUT_DIR FILE.jinja ...` adds templates of one's own.
"""
import datetime
import json
import os
import sys

import gguf
import jinja2
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

USER = '  Is "it" 3 < 4?\n'
SYSTEM = " Be brief. "

TEMPLATES = {
    "chatml": "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}"
              "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
    "chatml-bos": "{{ bos_token }}{% for m in messages %}\n{{ '<|im_start|>' ~ m.role }}\n{{ m.content | trim }}<|im_end|>\n{% endfor %}\n"
                  "{%- if add_generation_prompt %}<|im_start|>assistant\n{% endif %}\n",
    "default-system": "{% if messages[0]['role'] != 'system' %}{% set system_message = 'Speak as a friend.' %}{% else %}"
                      "{% set system_message = messages[0]['content'] %}{% set messages = messages[1:] %}{% endif %}"
                      "{{ '<|im_start|>system\\n' + system_message + '<|im_end|>\\n' }}{% for m in messages %}"
                      "{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}<|im_start|>assistant\n",
    "llama2": "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set sys = messages[0]['content'] %}"
              "{% else %}{% set loop_messages = messages %}{% set sys = false %}{% endif %}{% for message in loop_messages %}"
              "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}"
              "{% if loop.index0 == 0 and sys != false %}{% set content = '<<SYS>>\\n' + sys + '\\n<</SYS>>\\n\\n' + message['content'] %}"
              "{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}"
              "{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% else %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}",
    "llama3": "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + "
              "'<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}"
              "{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}",
    "llama3-date": "{{- bos_token }}\n{%- if not tools is defined %}\n    {%- set tools = none %}\n{%- endif %}\n{%- if not date_string is defined %}\n"
                   "    {%- if strftime_now is defined %}\n        {%- set date_string = strftime_now(\"%d %b %Y\") %}\n    {%- else %}\n"
                   "        {%- set date_string = \"1 Jan 2000\" %}\n    {%- endif %}\n{%- endif %}\n{#- The system message -#}\n"
                   "{%- if messages[0]['role'] == 'system' %}\n    {%- set system_message = messages[0]['content']|trim %}\n    {%- set messages = messages[1:] %}\n"
                   "{%- else %}\n    {%- set system_message = \"\" %}\n{%- endif %}\n{{- \"<|start_header_id|>system<|end_header_id|>\\n\\n\" }}\n"
                   "{%- if tools is not none %}\n    {{- \"Environment\\n\" }}\n{%- endif %}\n{{- \"Today: \" + date_string + \"\\n\\n\" }}\n{{- system_message }}\n"
                   "{{- \"<|eot_id|>\" }}\n{%- for message in messages %}\n    {%- if not (message.role == 'ipython' or 'tool_calls' in message) %}\n"
                   "        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}\n    {%- endif %}\n"
                   "{%- endfor %}\n{%- if add_generation_prompt %}\n    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}\n{%- endif %}\n",
    "mistral": "{%- if messages[0][\"role\"] == \"system\" %}\n    {%- set system_message = messages[0][\"content\"] %}\n    {%- set loop_messages = messages[1:] %}\n"
               "{%- else %}\n    {%- set loop_messages = messages %}\n{%- endif %}\n{%- set ns = namespace(index=0) %}\n{{- bos_token }}\n"
               "{%- for message in loop_messages %}\n    {%- if message[\"role\"] == \"user\" %}\n        {%- if loop.last and system_message is defined %}\n"
               "            {{- \"[INST]\" + system_message + \"\\n\\n\" + message[\"content\"] + \"[/INST]\" }}\n        {%- else %}\n"
               "            {{- \"[INST]\" + message[\"content\"] + \"[/INST]\" }}\n        {%- endif %}\n    {%- endif %}\n    {%- set ns.index = ns.index + 1 %}\n{%- endfor %}\n",
    "gemma": "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}"
             "{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}"
             "{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}"
             "{% if add_generation_prompt %}{{'<start_of_turn>model\\n'}}{% endif %}",
    "gemma3": "{{ bos_token }}\n{%- if messages[0]['role'] == 'system' -%}\n    {%- if messages[0]['content'] is string -%}\n"
              "        {%- set first_user_prefix = messages[0]['content'] + '\n\n' -%}\n    {%- else -%}\n"
              "        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '\n\n' -%}\n    {%- endif -%}\n    {%- set loop_messages = messages[1:] -%}\n"
              "{%- else -%}\n    {%- set first_user_prefix = \"\" -%}\n    {%- set loop_messages = messages -%}\n{%- endif -%}\n{%- for message in loop_messages -%}\n"
              "    {{ '<start_of_turn>' + message['role'] + '\n' + (first_user_prefix if loop.first else \"\") }}\n    {%- if message['content'] is string -%}\n"
              "        {{ message['content'] | trim }}\n    {%- elif message['content'] is iterable -%}\n        {%- for item in message['content'] -%}{{ item['text'] }}{%- endfor -%}\n"
              "    {%- else -%}\n        {{ raise_exception(\"Invalid content type\") }}\n    {%- endif -%}\n    {{ '<end_of_turn>\n' }}\n{%- endfor -%}\n"
              "{%- if add_generation_prompt -%}\n    {{'<start_of_turn>model\n'}}\n{%- endif -%}\n",
    "phi3": "{% for message in messages %}{% if message['role'] == 'system' and message['content'] %}{{'<|system|>\n' + message['content'] + '<|end|>\n'}}"
            "{% elif message['role'] == 'user' %}{{'<|user|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}"
            "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}",
    "phi4": "{% for message in messages %}{% if (message['role'] == 'system') %}{{'<|im_start|>system<|im_sep|>' + message['content'] + '<|im_end|>'}}"
            "{% elif (message['role'] == 'user') %}{{'<|im_start|>user<|im_sep|>' + message['content'] + '<|im_end|>'}}{% endif %}{% endfor %}"
            "{% if add_generation_prompt %}{{ '<|im_start|>assistant<|im_sep|>' }}{% endif %}",
    "thinking": "{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}\n{%- for message in messages[::-1] %}\n"
                "    {%- set index = (messages|length - 1) - loop.index0 %}\n    {%- if ns.multi_step_tool and message.role == \"user\" and message.content is string and "
                "not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}\n        {%- set ns.multi_step_tool = false %}\n"
                "        {%- set ns.last_query_index = index %}\n    {%- endif %}\n{%- endfor %}\n{%- for message in messages %}\n"
                "    {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}\n{%- endfor %}\n"
                "{%- if add_generation_prompt %}\n    {{- '<|im_start|>assistant\\n<think>\\n' }}\n    {%- if enable_thinking is defined and enable_thinking is false %}\n"
                "        {{- '\\n</think>\\n\\n' }}\n    {%- endif %}\n{%- endif %}",
    "deepseek": "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}"
                "{% set ns = namespace(is_first=false, is_tool=false, system_prompt='') %}{%- for message in messages %}{%- if message['role'] == 'system' %}"
                "{% set ns.system_prompt = message['content'] %}{%- endif %}{%- endfor %}{{bos_token}}{{ns.system_prompt}}{%- for message in messages %}"
                "{%- if message['role'] == 'user' %}{%- set ns.is_tool = false -%}{{'<｜User｜>' + message['content']}}{%- endif %}"
                "{%- if message['role'] == 'assistant' %}{% set content = message['content'].split('</think>')[-1] %}{{'<｜Assistant｜>' + content + eos_token}}{%- endif %}"
                "{%- endfor -%}{% if add_generation_prompt and not ns.is_tool %}{{'<｜Assistant｜><think>\\n'}}{% endif %}",
    "zephyr": "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n"
              "{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + eos_token }}\n{% endif %}\n"
              "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}",
    "macro": "{%- macro turn(role, words, end='<|end|>') -%}\n<|start|>{{ role }}<|message|>{{ words }}{{ end }}\n{%- endmacro -%}\n"
             "{%- set parts %}Knowledge: {{ strftime_now('%Y-%m') }}{% endset -%}\n{{ turn('system', parts) }}\n{%- for m in messages if m.role != 'system' %}\n"
             "  {{- turn(m.role, m.content, end='<|return|>' if loop.last else '<|end|>') }}\n{%- else %}\nnobody\n{%- endfor %}\n{{- '<|start|>assistant' }}",
    "odds": "{% set x = {'a': [1, 2.5, none, true], 'b': 'q\"'} %}{{ x | tojson }}|{{ x }}|{{ x.a[::-1] }}|{{ messages | map(attribute='role') | join(',') }}|"
            "{{ messages | selectattr('role', 'equalto', 'user') | list | length }}|{{ 'abcdef'[1:-1:2] }}|{{ 7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 + 3 * 4 }}|"
            "{{ nothing | default('d') }}|{{ ('a' ~ 1 ~ none) | upper }}|{{ 'x y  z'.split() }}|{{ 'a,b,c'.split(',', 1) }}|{% for k, v in x.items() %}{{ loop.index }}{{ k }};{% endfor %}|"
            "{{ 'yes' if 'a' in x and 3 not in x.a else 'no' }}|{{ 1 < 2 < 3 }}|{{ 'été'|length }}|{{ [1,2] + [3] }}|{% for i in range(5) %}{% if i == 1 %}{% continue %}{% endif %}"
            "{% if i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}|{{ 'Hello World' | replace('o', '0') | capitalize }}|{{ x is mapping }} {{ 5 is odd }} {{ nothing is undefined }}",
    "lines": "|\n".join([
        "{{ ('x' if 0 else 'y') if 1 else 'z' }}{{ 'x' if 0 }}{{ 1 if 1 else 1/0 }}{{ a.b.c if a is defined else 'n' }}",
        "{{ 'hello'[-3:-1] }} {{ (1,2,3)[:2] }} {{ 'été'[1] }} {{ [1,2][5] }} {{ [1,2,3,4,5][4:0:-2] }}",
        "{{ not true or true and false }} {{ not 1 == 2 }} {{ not not 1 }} {{ 1 not in [1] }} {{ false and x.y.z }} {{ true or x.y.z }} {{ '' or 'y' }}",
        "{{ 2 ~ 3 * 4 }} {{ 10 - 2 - 3 }} {{ 2 * -3 }} {{ 7 % 4 * 2 }} {{ -7 // 2 }} {{ 7 // -2 }} {{ 7.5 % 2 }} {{ 3 * 1.5 }} {{ 1e20 }} {{ -1|abs }}",
        "{{ 1 < 3 > 2 }} {{ 3 > 2 > 2 }} {{ 1 == 1.0 }} {{ 'b' >= 'a' > 'A' }} {{ {'a':1} == {'a':1} }} {{ none == x }}",
        "{% for a, b in [(1,2),(3,4)] %}{{ a }}{{ b }}{{ loop.revindex }}{{ loop.nextitem }},{% endfor %}",
        "{% for i in [1,2] if i > 5 %}x{% else %}none{% endfor %}{% for i in [1,2,3,4] %}{% if i == 3 %}{% break %}{% endif %}{{ i }}{% else %}E{% endfor %}",
        "{% for i in [1,2] %}{% for k in [1,2,3] %}{% if k == 2 %}{% continue %}{% endif %}{{ i }}{{ k }} {% endfor %}{% if i == 1 %}{% break %}{% endif %}{% endfor %}after",
        "{% set x = 1 %}{% for i in [1,2] %}{% set x = i + 10 %}{{ x }}{% endfor %}{{ x }}{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set c = 1, %}{{ c }}",
        "{% macro f(n) %}{% if n > 0 %}{{ n }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(5) }}",
        "{% macro g(a, b='x', c=a) %}[{{ a }}{{ b }}{{ c }}{{ i }}]{% endmacro %}{% for i in [1] %}{{ g(1) }}{{ g(1, 2) }}{{ g(1, c=3) }}{{ g()|upper }}{% endfor %}",
        "{{ 'a' 'b' \"c\" }} {{ 'a\\\\b' }} {{ [\"it's\", 'a\"b', 'a\\nb\\t\\x01'] }} {{ 'a\\nb\\t\\x01\\\"'|tojson }} {{ '\\x41\\u00e9\\U0001F600' }}",
        "{{ {'a': {'b': [1, {'c': none}]}, 'd': []}|tojson(indent=2) }} {{ {}|tojson(indent=4) }} {{ (1,)|tojson }} {{ (1,) }} {{ () }}",
        "{{ 'hello world'.title() }} {{ \"it's a-b\"|title }} {{ \"it's a-b\".title() }} {{ 'hELLO'.capitalize() }}",
        "{{ 'a b c'.split(' ', 1) }} {{ ' a b  c '.split(none, 1) }} {{ ''.split() }} {{ ''.split(',') }} {{ 'a b c'.split(maxsplit=1) }}",
        "{{ 'xxaxx'.lstrip('x') }} [{{ '\\n a \\t'.strip() }}] [{{ '\\u00a0a\\u3000'.strip() }}] [{{ 'éaé'.strip('é') }}] {{ 'aaa'.replace('a','b',2) }}",
        "{{ [1,2]|join }} {{ messages|join('-', attribute='role') }} {{ 'abc'|join(',') }} {{ [1,2,3]|first }}{{ []|first }} {{ 'abc'|reverse }}",
        "{{ ['b','A','c']|sort }} {{ ['b','A']|sort(case_sensitive=true) }} {{ [3,1,2]|sort(reverse=true) }} {{ [{'n':2},{'n':1}]|sort(attribute='n') }} {{ {'b':1,'a':2}|dictsort }}",
        "{{ ['a','b']|map('upper')|list }} {{ [1,2,3,4]|select('even')|list }} {{ [0,1,'']|select|list }} {{ [{'a':1},{'b':1}]|selectattr('a','defined')|list }}",
        "{{ ['a','b']|reject('equalto','a')|list }} {{ ['a','b']|map('replace','a','c')|list }} {{ messages|rejectattr('role','in',['user'])|list }}",
        "{{ ''|default('b') }}{{ ''|default('b', true) }}{{ none|default('c') }}{{ y|d }} {{ 'a\\nb\\n\\nc'|indent }} {{ 'a\\nb'|indent(width=3, first=true) }}",
        "{{ 3.7|int }} {{ true|int }} {{ 2|float }} {{ 2.0 is float }} {{ 9 is divisibleby 3 }} {{ 'a' is in 'abc' }} {{ 1 is true }} {{ 1 is not none and 2 is defined }}",
        "{{ range(5, 0, -2)|list }} {{ {'a':1}.values()|list }} {% for k, v in {'a':1}|items %}{{ k }}{{ v }}{% endfor %} {{ {'a':1}.get('c') }} {{ dict(a=1) }}",
        "{{ 'hello'.find('l') }} {{ 'hello'.find('z') }} {{ 'hello'.count('l') }} {{ 'éa'.find('a') }} {{ 'abc'.startswith(('x','a')) }} {{ 'x'.join(['a','b']) }}",
        "{% set ns = namespace(a=[]) %}{% set ns.a = ns.a + ['q'] %}{{ ns.a }}{{ ns.c is defined }} {% set t %}a{{ 1 }}b{% endset %}[{{ t }}]",
        "a {%- if 1 -%} b {%- endif -%} c\n  {% if 1 %}\n  x\n  {% endif +%}\n{# c -#}  \n e\n   {# x #}\nz {{ '{{' }} {{ '%}' }} {{ {'a': {'b': 1}}['a']['b'] }}"]),
    "unknown": "{% include 'other' %}",
    "broken": "{% for m in messages %}{{ m.content }",
    "endless": "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
}


def environment():
    def refuse(message):
        raise jinja2.TemplateError(message)
    e = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    e.filters["tojson"] = lambda x, indent=None: json.dumps(x, ensure_ascii=False, indent=indent)
    e.globals["raise_exception"] = refuse
    e.globals["strftime_now"] = lambda form: datetime.datetime(2024, 7, 26).strftime(form)
    return e


def render(source, system):
    messages = ([{"role": "system", "content": SYSTEM}] if system else []) + [{"role": "user", "content": USER}]
    try:
        return environment().from_string(source).render(messages=messages, add_generation_prompt=True, bos_token="<s>", eos_token="</s>")
    except Exception as e:
        return "error: %s" % e


def write(out, name, source):
    w = gguf.GGUFWriter(os.path.join(out, name + ".gguf"), "llama")
    w.add_tokenizer_model("llama")
    w.add_token_list(["<unk>", "<s>", "</s>"] + ["<0x%02X>" % i for i in range(256)])
    w.add_token_scores([0.0] * 259)
    w.add_token_types([2, 3, 3] + [6] * 256)
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)
    w.add_chat_template(source)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.close()
    for kind in ("user", "system"):
        limits = name in ("unknown", "broken", "endless")
        text = "error: " if limits else render(source, kind == "system")
        open(os.path.join(out, name + "." + kind), "w", newline="").write(text)


if __name__ == "__main__":
    for name, source in TEMPLATES.items():
        write(sys.argv[1], name, source)
    for path in sys.argv[2:]:
        write(sys.argv[1], os.path.basename(path)[:-6], open(path, newline="").read())
