"""Tiny random models of families that the shared fixtures do not have, with the logits of PyTorch.

    python family_models.py OUT_DIR [name ...]        transformers 5, gguf-py, numpy

Each makes OUT_DIR/NAME with model.gguf (matrices F16, the rest and routers F32), ids.npy int32 [T] and logits.npy float32 [T, vocabulary], computed in
float64 (experts in float32) with eager attention.
"""
import sys,os,json,math,numpy as np,torch,transformers as tf,gguf
torch.manual_seed(1)
OUT=sys.argv[1]
def inter(x,h): return x.reshape(h,2,x.shape[0]//h//2,*x.shape[1:]).swapaxes(1,2).reshape(x.shape)
def build(name,arch,cfg,cls,keys,tens,T=28,seed=3):
    torch.manual_seed(seed)
    cfg._experts_implementation='eager'; m=cls._from_config(cfg,attn_implementation='eager') if hasattr(cls,'_from_config') else cls(cfg)
    m=m.to(torch.float32).eval()
    g=torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for k,p in m.named_parameters():
            x=torch.randn(p.shape,generator=g)
            if 'norm' in k and k.endswith('weight'): p.copy_(0.2*x if 'gemma' in arch else 1+0.2*x)
            elif p.dim()==1: p.copy_(0.3*x)
            elif 'embed' in k: p.copy_(0.5*x)
            elif p.dim()==3: p.copy_(x*1.2/ (p.shape[1] if 'gpt_oss' in str(type(m)).lower() else p.shape[2])**0.5)
            else: p.copy_(x*1.4/p.shape[-1]**0.5)
        for k,b in m.named_buffers():
            if 'e_score_correction_bias' in k: b.copy_(0.1*torch.randn(b.shape,generator=g))
        for p in m.parameters():
            if p.dim()>1: p.copy_(p.half().float()) # what the file holds
    sd={k:v.numpy() for k,v in m.state_dict().items()}
    d=OUT+'/'+name; os.makedirs(d,exist_ok=True)
    w=gguf.GGUFWriter(d+'/model.gguf',arch)
    c=cfg
    base=dict(block_count=c.num_hidden_layers,context_length=c.max_position_embeddings,embedding_length=c.hidden_size,feed_forward_length=c.intermediate_size)
    for k,v in base.items(): w.add_uint32(arch+'.'+k,v)
    w.add_uint32(arch+'.attention.head_count',c.num_attention_heads); w.add_uint32(arch+'.attention.head_count_kv',c.num_key_value_heads)
    w.add_float32(arch+'.attention.layer_norm_rms_epsilon',c.rms_norm_eps)
    for k,v in keys.items():
        if isinstance(v,bool): w.add_bool(arch+'.'+k,v)
        elif isinstance(v,int): w.add_uint32(arch+'.'+k,v)
        elif isinstance(v,float): w.add_float32(arch+'.'+k,v)
        elif isinstance(v,str): w.add_string(arch+'.'+k,v)
        else: w.add_array(arch+'.'+k,v)
    w.add_tokenizer_model('llama'); n=c.vocab_size
    w.add_token_list(['<unk>','<s>','</s>']+['<0x%02X>'%i for i in range(256)]+['t%d'%i for i in range(n-259)]); w.add_token_scores([0.0]*n); w.add_token_types([2,3,3]+[6]*256+[1]*(n-259)); w.add_bos_token_id(1); w.add_eos_token_id(2); w.add_unk_token_id(0)
    for k,v in tens(sd,c).items(): w.add_tensor(k,np.ascontiguousarray(v,dtype=np.float16 if v.ndim>1 and 'ffn_gate_inp' not in k else np.float32))
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()
    dt=torch.float32 if hasattr(c,'num_experts_per_tok') else torch.float64
    m=m.to(dt)
    rng=np.random.default_rng(seed); ids=rng.integers(3,n-1,T)
    with torch.no_grad(): lo=m(torch.tensor(ids)[None].long(),use_cache=False).logits[0].numpy()
    np.save(d+'/ids.npy',ids.astype('<i4')); np.save(d+'/logits.npy',lo.astype('<f4'))
def llama(sd,c,norm=lambda x:x,rope=True,prefix='model.',extra=None,skip=()):
    o={'token_embd.weight':sd[prefix+'embed_tokens.weight'],'output_norm.weight':norm(sd[prefix+'norm.weight'])}
    if 'lm_head.weight' in sd and not c.tie_word_embeddings: o['output.weight']=sd['lm_head.weight']
    M={'input_layernorm.weight':'attn_norm.weight','post_attention_layernorm.weight':'ffn_norm.weight','self_attn.q_norm.weight':'attn_q_norm.weight','self_attn.k_norm.weight':'attn_k_norm.weight',
       'mlp.gate_proj.weight':'ffn_gate.weight','mlp.up_proj.weight':'ffn_up.weight','mlp.down_proj.weight':'ffn_down.weight','self_attn.o_proj.weight':'attn_output.weight','self_attn.o_proj.bias':'attn_output.bias',
       'mlp.gate_proj.bias':'ffn_gate.bias','mlp.up_proj.bias':'ffn_up.bias','mlp.down_proj.bias':'ffn_down.bias'}
    for q in 'qkv':
        for b in ('weight','bias'): M['self_attn.%s_proj.%s'%(q,b)]='attn_%s.%s'%(q,b)
    M.update(extra or {})
    for i in range(c.num_hidden_layers):
        p=prefix+'layers.%d.'%i
        for a,b in M.items():
            if b and p+a in sd:
                x=sd[p+a]
                if 'norm' in a: x=norm(x)
                if rope and a.startswith(('self_attn.q_proj','self_attn.k_proj')): x=inter(x,c.num_attention_heads if '.q_' in a else c.num_key_value_heads)
                o['blk.%d.%s'%(i,b)]=x
    return o
def moe(sd,c,o,prefix='model.',name='mlp'):
    for i in range(c.num_hidden_layers):
        p=prefix+'layers.%d.%s.'%(i,name)
        gu=sd[p+'experts.gate_up_proj']; f=gu.shape[1]//2
        o['blk.%d.ffn_gate_exps.weight'%i]=gu[:,:f]; o['blk.%d.ffn_up_exps.weight'%i]=gu[:,f:]; o['blk.%d.ffn_down_exps.weight'%i]=sd[p+'experts.down_proj']
        o['blk.%d.ffn_gate_inp.weight'%i]=sd[p+'gate.weight']
    return o
B=dict(vocab_size=264,hidden_size=32,intermediate_size=48,num_hidden_layers=2,num_attention_heads=4,num_key_value_heads=2,max_position_embeddings=512,rms_norm_eps=1e-5,tie_word_embeddings=False,bos_token_id=1,eos_token_id=2,pad_token_id=0)
J={}
def job(f): J[f.__name__]=f
R=lambda t=10000.0,**k: dict(rope_type='default',rope_theta=t,**k)
@job
def olmo3():
    c=tf.Olmo3Config(**B,sliding_window=8,rope_parameters={'sliding_attention':R(3000.0),'full_attention':dict(rope_type='yarn',rope_theta=10000.0,factor=8.0,original_max_position_embeddings=16,beta_fast=32.0,beta_slow=1.0)},layer_types=['sliding_attention','full_attention'])
    build('olmo3','olmo2',c,tf.Olmo3ForCausalLM,{'attention.sliding_window':8,'attention.sliding_window_pattern':[True,False],'rope.freq_base':10000.0,'rope.freq_base_swa':3000.0,'rope.scaling.type':'yarn','rope.scaling.factor':8.0,'rope.scaling.original_context_length':16},lambda sd,c:llama(sd,c,rope=False,extra={'post_attention_layernorm.weight':'post_attention_norm.weight','post_feedforward_layernorm.weight':'post_ffw_norm.weight'}))
@job
def granite():
    c=tf.GraniteConfig(**B,embedding_multiplier=3.0,residual_multiplier=0.4,attention_multiplier=0.1,logits_scaling=2.5,attention_bias=True,mlp_bias=True,rope_parameters=R())
    build('granite','granite',c,tf.GraniteForCausalLM,{'embedding_scale':3.0,'residual_scale':0.4,'attention.scale':0.1,'logit_scale':2.5},lambda sd,c:llama(sd,c))
@job
def smollm3():
    c=tf.SmolLM3Config(**dict(B,num_hidden_layers=4),rope_parameters=R(50000.0),no_rope_layers=[1,1,1,0],use_sliding_window=False)
    build('smollm3','smollm3',c,tf.SmolLM3ForCausalLM,{'rope.freq_base':50000.0},lambda sd,c:llama(sd,c))
@job
def gemma():
    b=dict(B); b['tie_word_embeddings']=True
    c=tf.GemmaConfig(**b,head_dim=8,rope_parameters=R(),hidden_activation='gelu_pytorch_tanh')
    build('gemma','gemma',c,tf.GemmaForCausalLM,{'attention.key_length':8,'attention.value_length':8},lambda sd,c:llama(sd,c,norm=lambda x:x+1,rope=False))
@job
def olmoe():
    b=dict(B); b['num_key_value_heads']=4
    c=tf.OlmoeConfig(**b,num_experts=6,num_experts_per_tok=2,norm_topk_prob=False,rope_parameters=R())
    build('olmoe','olmoe',c,tf.OlmoeForCausalLM,{'expert_count':6,'expert_used_count':2},lambda sd,c:moe(sd,c,llama(sd,c,rope=False)))
@job
def qwen2moe():
    c=tf.Qwen2MoeConfig(**B,num_experts=6,num_experts_per_tok=2,norm_topk_prob=False,moe_intermediate_size=16,shared_expert_intermediate_size=24,decoder_sparse_step=1,rope_parameters=R(1e6),use_sliding_window=False)
    build('qwen2moe','qwen2moe',c,tf.Qwen2MoeForCausalLM,{'expert_count':6,'expert_used_count':2,'expert_feed_forward_length':16,'expert_shared_feed_forward_length':24,'rope.freq_base':1e6},
      lambda sd,c:moe(sd,c,{k:(v.reshape(-1) if 'inp_shexp' in k else v) for k,v in llama(sd,c,rope=False,extra={'mlp.shared_expert.gate_proj.weight':'ffn_gate_shexp.weight','mlp.shared_expert.up_proj.weight':'ffn_up_shexp.weight','mlp.shared_expert.down_proj.weight':'ffn_down_shexp.weight','mlp.shared_expert_gate.weight':'ffn_gate_inp_shexp.weight'}).items()}))
@job
def glm4():
    c=tf.Glm4Config(**B,head_dim=8,attention_bias=True,rope_parameters=R(partial_rotary_factor=0.5))
    build('glm4','glm4',c,tf.Glm4ForCausalLM,{'rope.dimension_count':4,'attention.key_length':8,'attention.value_length':8},lambda sd,c:llama(sd,c,rope=False,extra={'post_attention_layernorm.weight':'ffn_norm.weight','post_self_attn_layernorm.weight':'post_attention_norm.weight','post_mlp_layernorm.weight':'post_ffw_norm.weight','mlp.gate_up_proj.weight':'ffn_up.weight'}))
@job
def mistral3():
    b=dict(B); b['max_position_embeddings']=512
    c=tf.Ministral3Config(**b,head_dim=8,sliding_window=None,rope_parameters=dict(rope_type='yarn',rope_theta=1e6,factor=16.0,original_max_position_embeddings=16,max_position_embeddings=512,beta_fast=32.0,beta_slow=1.0,mscale=1.0,mscale_all_dim=1.0,llama_4_scaling_beta=0.1))
    build('mistral3','mistral3',c,tf.Ministral3ForCausalLM,{'attention.key_length':8,'attention.value_length':8,'rope.freq_base':1e6,'rope.scaling.type':'yarn','rope.scaling.factor':16.0,'rope.scaling.original_context_length':16,'rope.scaling.yarn_log_multiplier':1.0,'rope.scaling.yarn_beta_fast':32.0,'rope.scaling.yarn_beta_slow':1.0,'attention.temperature_scale':0.1},lambda sd,c:llama(sd,c),T=40)
@job
def gptoss():
    c=tf.GptOssConfig(**B,head_dim=8,num_local_experts=4,num_experts_per_tok=2,sliding_window=8,layer_types=['sliding_attention','full_attention'],rope_parameters=dict(rope_type='yarn',rope_theta=150000.0,factor=32.0,original_max_position_embeddings=16,beta_fast=32.0,beta_slow=1.0,truncate=True))
    def t(sd,c):
        o=llama(sd,c,rope=False,extra={'post_attention_layernorm.weight':'post_attention_norm.weight','self_attn.sinks':'attn_sinks.weight','mlp.router.weight':'ffn_gate_inp.weight','mlp.router.bias':'ffn_gate_inp.bias'})
        for i in range(c.num_hidden_layers):
            p='model.layers.%d.mlp.experts.'%i; gu=sd[p+'gate_up_proj']; bb=sd[p+'gate_up_proj_bias']
            o['blk.%d.ffn_gate_exps.weight'%i]=gu[:,:,::2].transpose(0,2,1); o['blk.%d.ffn_up_exps.weight'%i]=gu[:,:,1::2].transpose(0,2,1); o['blk.%d.ffn_down_exps.weight'%i]=sd[p+'down_proj'].transpose(0,2,1)
            o['blk.%d.ffn_gate_exps.bias'%i]=bb[:,::2]; o['blk.%d.ffn_up_exps.bias'%i]=bb[:,1::2]; o['blk.%d.ffn_down_exps.bias'%i]=sd[p+'down_proj_bias']
        return o
    build('gptoss','gpt-oss',c,tf.GptOssForCausalLM,{'attention.key_length':8,'attention.value_length':8,'rope.freq_base':150000.0,'rope.scaling.type':'yarn','rope.scaling.factor':32.0,'rope.scaling.original_context_length':16,'attention.sliding_window':8,'expert_count':4,'expert_used_count':2,'expert_feed_forward_length':48},t)
@job
def phi3long():
    b=dict(B); b['num_key_value_heads']=4; b['max_position_embeddings']=256
    sh=[1.0+0.1*i for i in range(4)]; lg=[2.0+0.7*i for i in range(4)]
    c=tf.Phi3Config(**b,original_max_position_embeddings=16,sliding_window=None,rope_parameters=dict(rope_type='longrope',rope_theta=10000.0,short_factor=sh,long_factor=lg,original_max_position_embeddings=16))
    def t(sd,c):
        o=llama(sd,c,rope=False,extra={'self_attn.qkv_proj.weight':'attn_qkv.weight','mlp.gate_up_proj.weight':'ffn_up.weight'})
        o['rope_factors_short.weight']=np.array(sh,np.float32); o['rope_factors_long.weight']=np.array(lg,np.float32); return o
    k={'rope.scaling.attn_factor':math.sqrt(1+math.log(16)/math.log(16)),'rope.scaling.original_context_length':16,'rope.dimension_count':8}
    build('phi3long','phi3',c,tf.Phi3ForCausalLM,k,t,T=28)
    build('phi3short','phi3',c,tf.Phi3ForCausalLM,k,t,T=14)
@job
def olmo3period():
    b=dict(B); b['num_hidden_layers']=4
    c=tf.Olmo3Config(**b,sliding_window=8,rope_parameters={'sliding_attention':R(),'full_attention':dict(rope_type='yarn',rope_theta=10000.0,factor=8.0,original_max_position_embeddings=16,beta_fast=32.0,beta_slow=1.0)},layer_types=['sliding_attention']*3+['full_attention'])
    build('olmo3period','olmo2',c,tf.Olmo3ForCausalLM,{'attention.sliding_window':8,'rope.freq_base':10000.0,'rope.scaling.type':'yarn','rope.scaling.factor':8.0,'rope.scaling.original_context_length':16},lambda sd,c:llama(sd,c,rope=False,extra={'post_attention_layernorm.weight':'post_attention_norm.weight','post_feedforward_layernorm.weight':'post_ffw_norm.weight'}))
@job
def granitemoe():
    c=tf.GraniteMoeConfig(**B,embedding_multiplier=3.0,residual_multiplier=0.4,attention_multiplier=0.1,logits_scaling=2.5,num_local_experts=6,num_experts_per_tok=3,rope_parameters=R())
    def t(sd,c):
        return moe({k.replace('router.weight','gate.weight'):v for k,v in sd.items()},c,llama(sd,c),name='block_sparse_moe')
    build('granitemoe','granitemoe',c,tf.GraniteMoeForCausalLM,{'embedding_scale':3.0,'residual_scale':0.4,'attention.scale':0.1,'logit_scale':2.5,'expert_count':6,'expert_used_count':3},t)
@job
def deepseek3():
    b=dict(B); b['num_key_value_heads']=4; b['num_hidden_layers']=3; b['rms_norm_eps']=1e-6 # as its norms of ranks have it in transformers
    c=tf.DeepseekV3Config(**b,moe_intermediate_size=16,n_shared_experts=1,n_routed_experts=12,num_experts_per_tok=3,n_group=4,topk_group=2,norm_topk_prob=True,routed_scaling_factor=2.5,first_k_dense_replace=1,
        kv_lora_rank=16,q_lora_rank=20,qk_nope_head_dim=8,qk_rope_head_dim=4,v_head_dim=12,rope_interleave=True,rope_parameters=R())
    def t(sd,c):
        o=llama(sd,c,rope=False,extra={'self_attn.q_a_proj.weight':'attn_q_a.weight','self_attn.q_a_layernorm.weight':'attn_q_a_norm.weight','self_attn.q_b_proj.weight':'attn_q_b.weight','self_attn.kv_a_proj_with_mqa.weight':'attn_kv_a_mqa.weight','self_attn.kv_a_layernorm.weight':'attn_kv_a_norm.weight','self_attn.kv_b_proj.weight':'attn_kv_b.weight',
            'mlp.gate.weight':'ffn_gate_inp.weight','mlp.gate.e_score_correction_bias':'exp_probs_b.bias','mlp.shared_experts.gate_proj.weight':'ffn_gate_shexp.weight','mlp.shared_experts.up_proj.weight':'ffn_up_shexp.weight','mlp.shared_experts.down_proj.weight':'ffn_down_shexp.weight'})
        for i in range(1,c.num_hidden_layers):
            p='model.layers.%d.mlp.experts.'%i; gu=sd[p+'gate_up_proj']; f=gu.shape[1]//2
            o['blk.%d.ffn_gate_exps.weight'%i]=gu[:,:f]; o['blk.%d.ffn_up_exps.weight'%i]=gu[:,f:]; o['blk.%d.ffn_down_exps.weight'%i]=sd[p+'down_proj']
        return o
    build('deepseek3','deepseek2',c,tf.DeepseekV3ForCausalLM,{'attention.key_length':12,'attention.value_length':12,'attention.kv_lora_rank':16,'attention.q_lora_rank':20,'rope.dimension_count':4,'leading_dense_block_count':1,'expert_count':12,'expert_used_count':3,'expert_shared_count':1,
        'expert_feed_forward_length':16,'expert_weights_scale':2.5,'expert_weights_norm':True,'expert_gating_func':2,'expert_group_count':4,'expert_group_used_count':2},t)
for n in sys.argv[2:] or J:
    J[n]()
